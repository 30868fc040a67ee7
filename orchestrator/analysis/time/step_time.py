"""How long a step took in an earlier sweep, for forecasting the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from orchestrator.core.rows import State
from orchestrator.core.rung_unit import reached, recorded_unit
from orchestrator.errors import RecordsError
from orchestrator.records.find import find_sweeps
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.simulate.forecast import Pace
from orchestrator.spec import Spec
from orchestrator.spec.max_step import length_of
from orchestrator.spec.sections import Unit
from trainables.declaration import Declaration


@dataclass(frozen=True, kw_only=True)
class EarlierPaces:
    """The training speed of an earlier sweep's trials."""

    sweep: str
    created: str  # ISO 8601, UTC
    on_gpus: bool  # whether its trials had GPUs
    saves: bool  # whether its trials saved their state, as far as its records tell
    paces: tuple[Pace, ...]  # one per trial


class ReportTime(NamedTuple):
    """The step of a report, and for how long the trial had trained by then."""

    step: int
    train_s: float


def earlier_paces(results: Path, spec: Spec, declaration: Declaration | None) -> EarlierPaces | None:
    """Paces of the latest sweep with the same trainable and fixed values (except its length); None if there is none.

    Sweeps whose records cannot be read are skipped.
    """
    length = length_of(declaration)
    for paths in reversed(find_sweeps(results)):
        try:
            info = read_sweep_json(paths.info)
            if info.trainable == str(spec.trained) and _fixed(info.spec, length) == _fixed(spec.to_plain(), length):
                paces = _paces(paths, spec.objective.mode, recorded_unit(info.spec))
                if paces:
                    return EarlierPaces(
                        sweep=paths.name,
                        created=info.created,
                        on_gpus=_on_gpus(paths),
                        saves=saved_state(paths),
                        paces=paces,
                    )
        except RecordsError:
            continue
    return None


def _fixed(spec: Mapping[str, Any], length: str) -> dict[str, Any]:
    return {name: value for name, value in spec.get("fixed", {}).items() if name != length}


def _paces(paths: SweepPaths, mode: str, unit: Unit) -> tuple[Pace, ...]:
    """Paces from the first and the last report of each trial; time before its first step counts as setup.

    ``unit``: of the rungs.
    """
    from orchestrator.records.load import metrics_table, trials_table

    columns = ["trial", "step", "train_s"]
    reports = metrics_table(paths, columns)
    first: dict[int, ReportTime] = {}
    last: dict[int, ReportTime] = {}
    for trial, *look in zip(*(reports[column].to_pylist() for column in columns), strict=True):
        first.setdefault(trial, ReportTime(*look))
        last[trial] = ReportTime(*look)
    rows = {trial: (first[trial], look) for trial, look in last.items() if look.step > 0 and look.train_s > 0}
    results = trials_table(paths, ["trial", "objective"]).to_pylist()
    order = ranked(
        {
            row["trial"]: (reached(unit, *last[row["trial"]]), row["objective"])
            for row in results
            if row["trial"] in rows
        },
        mode,
    )
    return tuple(_pace(*rows[trial], rank=at / len(order)) for at, trial in enumerate(order))


def ranked(trials: Mapping[int, tuple[int, float | None]], mode: str) -> list[int]:
    """Trials from best to worst, by how far they came and then by result: a trial that ran further ranks higher.

    Trials without a result (diverged or failed) come last.
    """

    def sort_key(trial: int) -> tuple[bool, int, float]:
        step, result = trials[trial]
        loss = 0.0 if result is None else result if mode == "min" else -result
        return result is None, -step, loss

    return sorted(trials, key=sort_key)


def _pace(first: ReportTime, last: ReportTime, *, rank: float) -> Pace:
    steps, seconds = last.step - first.step, last.train_s - first.train_s
    if not steps:
        return Pace(step_s=last.train_s / last.step, rank=rank)
    step_s = seconds / steps
    return Pace(step_s=step_s, set_up_s=max(0.0, first.train_s - first.step * step_s), rank=rank)


def saved_state(paths: SweepPaths) -> bool:
    """Whether trials left checkpoints, or paused; if none was stopped at a rung either, nothing tells, and they may."""
    from orchestrator.records.load import events_table

    directory = paths.checkpoints(0).parent
    if directory.is_dir() and any(directory.iterdir()):
        return True
    happened = set(events_table(paths, ["event"])["event"].to_pylist())
    return State.PAUSED in happened or State.STOPPED not in happened


def _on_gpus(paths: SweepPaths) -> bool:
    from orchestrator.records.load import trials_table

    return any(trials_table(paths, ["gpu_ids"]).column("gpu_ids").to_pylist())
