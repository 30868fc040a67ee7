"""Collects the rows that the state machine produces, until the recorder takes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.core.rows import EventRow, MetricRow, TrialRow
from orchestrator.core.schedulers import Decision
from orchestrator.core.trial import Trial


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows to record, in the order of their tables."""

    metrics: list[MetricRow]
    events: list[EventRow]
    trials: list[TrialRow]


class Journal:
    """Collects rows. A trial's row is made when the rows are taken, so only its latest state is recorded.

    Attributes:
        notes: The notes about the sweep, without the beginnings and ends of sessions, for a live view.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._metrics: list[MetricRow] = []
        self._events: list[EventRow] = []
        self._changed: dict[int, Trial] = {}  # in the order of their first change

    def report(self, row: MetricRow) -> None:
        """Add a report."""
        self._metrics.append(row)

    def trial_changed(self, trial: Trial) -> None:
        """Mark a trial as changed, so that its row is recorded."""
        self._changed[trial.number] = trial

    def note(self, at: float, event: str, reason: str, detail: Mapping[str, Any] | None = None) -> None:
        """Add an event of the whole sweep."""
        if event != "sweep":
            self.notes.append(reason)
        self._events.append(EventRow(at=at, event=event, reason=reason, detail=detail))

    def trial_event(
        self,
        trial: Trial,
        at: float,
        event: str,
        *,
        value: float | None = None,
        cutoff: float | None = None,
        decision: str | None = None,
        reason: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an event of one trial."""
        self.trial_changed(trial)
        self._events.append(
            EventRow(
                at=at,
                event=event,
                trial=trial.number,
                attempt=trial.attempts,
                step=trial.last_step,
                rung=trial.rung,
                value=value,
                cutoff=cutoff,
                decision=decision,
                reason=reason,
                detail=detail,
            )
        )

    def trial_ended(self, trial: Trial, at: float, *, value: float | None, decision: str | None) -> None:
        """Add the end of a trial: its state, the reason, the failure, and what the search is told."""
        failure = {} if trial.failure is None else dataclasses.asdict(trial.failure)
        detail = {"train_s": trial.train_s, **failure}
        self.trial_event(trial, at, trial.state, value=value, decision=decision, reason=trial.reason, detail=detail)

    def rung_decisions(self, trial: Trial, at: float, decisions: Sequence[Decision]) -> None:
        """Add decisions of the scheduler, each with the cutoff it compared against."""
        for decision in decisions:
            trial.rung = decision.rung
            self._events.append(
                EventRow(
                    at=at,
                    event="rung",
                    trial=trial.number,
                    attempt=trial.attempts,
                    step=trial.last_step,
                    rung=decision.rung,
                    value=decision.value,
                    cutoff=decision.cutoff,
                    decision=decision.action,
                    detail={"train_s": trial.train_s},
                )
            )

    def take(self, now: float) -> Rows:
        """The rows since the last call."""
        rows = Rows(
            metrics=self._metrics,
            events=self._events,
            trials=[trial.row(now) for trial in self._changed.values()],
        )
        self._metrics, self._events, self._changed = [], [], {}
        return rows
