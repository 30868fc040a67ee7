"""The trials of a recorded sweep with what they reached: at rungs, and in the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.core.rows import SUGGESTED, Config, EventRow, State
from orchestrator.core.search import Outcome
from orchestrator.errors import DamagedError
from orchestrator.records.decode import event_rows
from orchestrator.records.load import events_table
from orchestrator.records.paths import SweepPaths
from orchestrator.spec.sections import Unit

_OUTCOMES = {
    State.STOPPED: Outcome.STOPPED,
    State.COMPLETED: Outcome.COMPLETED,
    State.DIVERGED: Outcome.DIVERGED,
    State.FAILED: Outcome.FAILED,
}


@dataclass(kw_only=True, slots=True)
class RecordedTrial:
    """One trial as its events tell it."""

    config: Config
    values: dict[int, float] = field(default_factory=dict)  # by step, or by seconds: at rungs, and the result
    outcome: Outcome = Outcome.RUNG  # RUNG: it has not ended, or was cancelled
    train_s: float | None = None


def recorded_trials(paths: SweepPaths, before: Unit, now: Unit) -> list[RecordedTrial]:
    """All trials of a sweep, those that ended first, in that order.

    Args:
        paths: The files of the sweep.
        before: What its rungs count.
        now: What the values are told by: those of a sweep with other rungs by the step, or the seconds, of the report.

    Raises:
        RecordsError: The records are damaged.
    """
    return _told(event_rows(events_table(paths), paths.events, strict=True), paths.events, before, now)


def _told(rows: Iterable[EventRow], log: Path, before: Unit, now: Unit) -> list[RecordedTrial]:
    trials: dict[int, RecordedTrial] = {}
    ended: dict[int, RecordedTrial] = {}
    for row in rows:
        if row.trial is None:
            continue
        if row.event == State.PENDING:
            trials[row.trial] = RecordedTrial(config=(row.detail or {})["config"])
        if row.trial not in trials:
            raise DamagedError(f"{log} is damaged: trial {row.trial} has no beginning")
        trial = trials[row.trial]
        if row.event == SUGGESTED:
            trial.config = (row.detail or {})["config"]
        if row.event == "rung" and row.decision != "stop" and row.rung is not None and row.value is not None:
            trial.train_s = (row.detail or {}).get("train_s")
            if (at := row.rung if before == now else _reached(row, now)) is not None:
                trial.values[at] = row.value
        elif row.event in _OUTCOMES:
            trial.outcome, trial.train_s = _OUTCOMES[State(row.event)], (row.detail or {}).get("train_s")
            at = row.rung if row.event == State.STOPPED and before == now else _reached(row, now)
            if row.value is not None and at is not None:
                trial.values[at] = row.value
            ended.pop(row.trial, None)
            ended[row.trial] = trial
        elif row.event == "retry" and row.trial in ended:
            trial.outcome = Outcome.RUNG
            del ended[row.trial]
    return [*ended.values(), *(trial for number, trial in trials.items() if number not in ended)]


def _reached(row: EventRow, unit: Unit) -> int | None:
    """How far a trial had come at an event, in a unit; None if that was not recorded."""
    if unit == "steps":
        return row.step
    train_s = (row.detail or {}).get("train_s")
    return None if train_s is None else int(train_s)
