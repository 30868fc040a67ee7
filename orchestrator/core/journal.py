"""The rows that the state machine wants recorded, collected until somebody takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.core.rows import EventRow, MetricRow, TrialRow
from orchestrator.core.schedulers import Decision
from orchestrator.core.trial import Life


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What is to be recorded, since it was last taken."""

    metrics: list[MetricRow]
    events: list[EventRow]
    trials: list[TrialRow]


class Journal:
    """Collects rows; a trial's row is made when it is taken, so that only its latest state counts.

    Attributes:
        notes: What was noted about the sweep, apart from its sessions' beginnings and ends, for who watches.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._metrics: list[MetricRow] = []
        self._events: list[EventRow] = []
        self._changed: dict[int, Life] = {}  # in the order of their first change

    def measured(self, row: MetricRow) -> None:
        """A report."""
        self._metrics.append(row)

    def changed(self, life: Life) -> None:
        """A trial is not as it was."""
        self._changed[life.number] = life

    def noted(self, at: float, event: str, reason: str, detail: Mapping[str, Any] | None = None) -> None:
        """Something about the whole sweep."""
        if event != "sweep":
            self.notes.append(reason)
        self._events.append(EventRow(at=at, event=event, reason=reason, detail=detail))

    def happened(
        self,
        life: Life,
        at: float,
        event: str,
        *,
        value: float | None = None,
        decision: str | None = None,
        reason: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Something about one trial."""
        self.changed(life)
        self._events.append(
            EventRow(
                at=at,
                event=event,
                trial=life.number,
                attempt=life.attempts,
                step=life.last_step,
                rung=life.rung,
                value=value,
                decision=decision,
                reason=reason,
                detail=detail,
            )
        )

    def decided(self, life: Life, at: float, decisions: Sequence[Decision]) -> None:
        """Decisions of the scheduler, each with the cutoff it compared against."""
        for decision in decisions:
            life.rung = decision.rung
            self._events.append(
                EventRow(
                    at=at,
                    event="rung",
                    trial=life.number,
                    attempt=life.attempts,
                    step=life.last_step,
                    rung=decision.rung,
                    value=decision.value,
                    cutoff=decision.cutoff,
                    decision="stop" if decision.stop else "continue",
                )
            )

    def take(self, now: float) -> Rows:
        """All rows since this was last called."""
        rows = Rows(
            metrics=self._metrics,
            events=self._events,
            trials=[life.row(now) for life in self._changed.values()],
        )
        self._metrics, self._events, self._changed = [], [], {}
        return rows
