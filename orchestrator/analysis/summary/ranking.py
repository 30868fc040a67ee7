"""The best trials of a sweep and their configurations."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from orchestrator.analysis.summary.overview import objective_of
from orchestrator.core.rows import SUGGESTED, Config, State
from orchestrator.errors import DamagedError
from orchestrator.records.details import parsed_detail
from orchestrator.records.load import events_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.records.schema import CONFIG
from orchestrator.spec.recorded_spec import given_values


@dataclass(frozen=True, kw_only=True)
class RankedTrial:
    """A trial that has a result."""

    trial: int
    state: State
    value: float  # the result, as objective.at says
    step: int  # of that value
    train_s: float
    config: Config  # the searched parameters


def best_trials(
    paths: SweepPaths,
    info: SweepInfo,
    count: int | None,
    *,
    read_configs: Callable[[SweepPaths, Collection[int]], dict[int, Config]] | None = None,
) -> list[RankedTrial]:
    """The best trials, including running ones, the best first; ties by number.

    Args:
        paths: The sweep's files.
        info: Its provenance.
        count: How many; None: all with a result.
        read_configs: Reads the configurations of trials; None: :func:`configs`.

    Raises:
        RecordsError: The records are damaged.
    """
    objective = objective_of(info)
    step = "best_step" if objective.at == "best" else "last_step"
    table = trials_table(paths, ["trial", "state", "objective", step, "train_s"])
    judged = [row for row in table.to_pylist() if row["objective"] is not None]
    sign = 1 if objective.mode == "min" else -1
    rows = sorted(judged, key=lambda row: (sign * row["objective"], row["trial"]))[:count]
    drawn = (read_configs or configs)(paths, {row["trial"] for row in rows})
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
    known = (row for row in events if row["event"] in (State.PENDING, SUGGESTED) and row["trial"] in trials)
    found = {row["trial"]: parsed_detail(row["event"], row["detail"], paths.events)["config"] for row in known}
    if lost := set(trials) - set(found):
        raise DamagedError(f"{paths.events} is damaged: it lacks the configuration of trial {min(lost)}")
    return found


def configs_in_table(paths: SweepPaths, trials: Collection[int]) -> dict[int, Config]:
    """The configurations as the table of trials has them, lists as text: for where the events are damaged."""
    return {
        row["trial"]: {
            name.removeprefix(CONFIG): value
            for name, value in row.items()
            if name.startswith(CONFIG) and value is not None
        }
        for row in trials_table(paths).to_pylist()
        if row["trial"] in trials
    }


def full_config(info: SweepInfo, ranked: RankedTrial) -> dict[str, Any]:
    """The hyperparameters given to the trainable: all values but its declared defaults."""
    return given_values(info.spec)(ranked.config)
