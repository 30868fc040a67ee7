"""The best trials of a sweep, each with its configuration."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from orchestrator.analysis.overview import objective_of
from orchestrator.records.load import events_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.rows import Config, State


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A trial that has a result."""

    trial: int
    state: State
    value: float  # its result, as objective.at says
    step: int  # at which it had that value
    train_s: float
    config: Config  # the searched parameters


def top(paths: SweepPaths, info: SweepInfo, count: int) -> list[Ranked]:
    """The best trials, the best first; of equals the earlier one. Trials that still run are among them."""
    import pyarrow.compute as pc

    objective = objective_of(info)
    step = "best_step" if objective.at == "best" else "last_step"
    table = trials_table(paths, ["trial", "state", "objective", step, "train_s"])
    table = table.filter(pc.is_valid(table["objective"]))
    order = "ascending" if objective.mode == "min" else "descending"
    rows = table.sort_by([("objective", order), ("trial", "ascending")]).slice(0, count).to_pylist()
    drawn = configs(paths, {row["trial"] for row in rows})
    return [
        Ranked(
            trial=row["trial"],
            state=State(row["state"]),
            value=row["objective"],
            step=row[step],
            train_s=row["train_s"],
            config=drawn[row["trial"]],
        )
        for row in rows
    ]


def configs(paths: SweepPaths, trials: Collection[int]) -> dict[int, Config]:
    """The configurations of some trials with their types; the trials table holds lists as texts."""
    import pyarrow.compute as pc

    events = events_table(paths, ["trial", "event", "detail"])
    starts = events.filter(pc.equal(events["event"], State.PENDING.value))
    pairs = zip(starts["trial"].to_pylist(), starts["detail"].to_pylist(), strict=True)
    return {trial: json.loads(detail)["config"] for trial, detail in pairs if trial in trials}


def full_config(info: SweepInfo, ranked: Ranked) -> dict[str, Any]:
    """What the trainable was given: fixed and searched values. Its declared defaults come on top."""
    return {**info.spec.get("fixed", {}), **ranked.config}
