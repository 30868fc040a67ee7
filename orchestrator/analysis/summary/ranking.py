"""The best trials of a sweep and their configurations."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from orchestrator.analysis.summary.overview import objective_of
from orchestrator.core.rows import Config, State
from orchestrator.records.load import events_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo


@dataclass(frozen=True, kw_only=True)
class RankedTrial:
    """A trial that has a result."""

    trial: int
    state: State
    value: float  # the result, as objective.at says
    step: int  # of that value
    train_s: float
    config: Config  # the searched parameters


def best_trials(paths: SweepPaths, info: SweepInfo, count: int | None) -> list[RankedTrial]:
    """The best trials, including running ones, the best first; ties by number. ``count`` None: all with a result."""
    objective = objective_of(info)
    step = "best_step" if objective.at == "best" else "last_step"
    table = trials_table(paths, ["trial", "state", "objective", step, "train_s"])
    judged = [row for row in table.to_pylist() if row["objective"] is not None]
    sign = 1 if objective.mode == "min" else -1
    rows = sorted(judged, key=lambda row: (sign * row["objective"], row["trial"]))[:count]
    drawn = configs(paths, {row["trial"] for row in rows})
    return [
        RankedTrial(
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
    """The configurations of some trials with their own types; the trials table stores lists as JSON text."""
    events = events_table(paths, ["trial", "event", "detail"]).to_pylist()
    starts = (row for row in events if row["event"] == State.PENDING and row["trial"] in trials)
    return {row["trial"]: json.loads(row["detail"])["config"] for row in starts}


def full_config(info: SweepInfo, ranked: RankedTrial) -> dict[str, Any]:
    """The hyperparameters given to the trainable: fixed and searched values, without its declared defaults."""
    return {**info.spec.get("fixed", {}), **ranked.config}
