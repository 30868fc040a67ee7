"""How long a step took in an earlier sweep, for the forecast of the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.errors import RecordsError
from orchestrator.records.find import find_sweeps
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.simulate.forecast import Pace
from orchestrator.spec import Spec
from orchestrator.spec.max_step import length_of
from trainables.contract import Declaration


@dataclass(frozen=True, kw_only=True)
class Tempo:
    """What the trials of a sweep took."""

    sweep: str
    created: str  # ISO 8601, UTC
    on_gpus: bool  # whether its trials had GPUs
    paces: tuple[Pace, ...]  # one a trial


def tempo(results: Path, spec: Spec, declaration: Declaration | None) -> Tempo | None:
    """The latest sweep of the same trainable and fixed values, their length apart; None if there is none.

    Records that cannot be read are passed over.
    """
    length = length_of(declaration)
    for paths in reversed(find_sweeps(results)):
        try:
            info = read_sweep_json(paths.info)
            if info.trainable == spec.trainable and _fixed(info.spec, length) == _fixed(spec.to_plain(), length):
                paces = _paces(paths)
                if paces:
                    return Tempo(sweep=info.name, created=info.created, on_gpus=_on_gpus(paths), paces=paces)
        except RecordsError:
            continue
    return None


def _fixed(spec: Mapping[str, Any], length: str) -> dict[str, Any]:
    return {name: value for name, value in spec.get("fixed", {}).items() if name != length}


def _paces(paths: SweepPaths) -> tuple[Pace, ...]:
    """From the first and the last report of each trial; what came before its first step is no step."""
    from orchestrator.records.load import metrics_table

    columns = [(column, how) for column in ("step", "train_s") for how in ("min", "max")]
    table = metrics_table(paths, ["trial", "step", "train_s"]).group_by("trial").aggregate(columns)
    return tuple(
        _pace(row["step_min"], row["step_max"], row["train_s_min"], row["train_s_max"])
        for row in table.to_pylist()
        if row["step_max"] > 0 and row["train_s_max"] > 0
    )


def _pace(first: int, last: int, until_first_s: float, until_last_s: float) -> Pace:
    if first == last:
        return Pace(step_s=until_last_s / last)
    step_s = (until_last_s - until_first_s) / (last - first)
    return Pace(step_s=step_s, set_up_s=max(0.0, until_first_s - first * step_s))


def _on_gpus(paths: SweepPaths) -> bool:
    from orchestrator.records.load import trials_table

    return any(trials_table(paths, ["gpu_ids"]).column("gpu_ids").to_pylist())
