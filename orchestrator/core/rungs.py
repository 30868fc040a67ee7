"""What happens to the trials of a sweep at rungs: they go on, stop, pause and are promoted, or are audited.

The scheduler decides; here its decisions become states of trials, events, and what the search is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from orchestrator.core.audit import Audit
from orchestrator.core.journal import Journal
from orchestrator.core.rows import PROMOTED, MetricRow, State
from orchestrator.core.rung_unit import reached, rung_name
from orchestrator.core.schedulers import Action, Decision, Scheduler
from orchestrator.core.search_feedback import SearchFeedback
from orchestrator.core.trial import Trial
from orchestrator.spec.sections import Unit


class Rungs:
    """The rungs of one sweep, and the trials that wait at them.

    Attributes:
        unit: What the rungs count.
        audit: Which trials run on although they were cut.
    """

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        unit: Unit,
        audit: Audit,
        feedback: SearchFeedback,
        journal: Journal,
        trials: Sequence[Trial],
    ) -> None:
        """
        Args:
            scheduler: Decides.
            unit: What its rungs count.
            audit: Overrules some of its cuts.
            feedback: Takes the results at rungs.
            journal: Takes the events.
            trials: All trials of the sweep, by number; it may grow.
        """
        self.unit = unit
        self.audit = audit
        self._scheduler = scheduler
        self._feedback = feedback
        self._journal = journal
        self._trials = trials
        self._paused: dict[int, float] = {}  # by trial, its value at the rung where it waits

    # Decisions ---------------------------------------------------------------------------------------------------

    def ahead(self, trial: Trial) -> tuple[int, ...]:
        """The rungs that a trial has yet to enter; its last step may be beyond the first of them."""
        if trial.number in self.audit.running_on:
            return ()
        return tuple(rung for rung in self._scheduler.rungs(trial.number) if rung > (trial.rung or 0))

    def name(self, rung: int | None) -> str:
        """A rung as people read it."""
        return rung_name(rung, self.unit)

    def reach(self, trial: Trial, at: float, row: MetricRow, value: float, *, pausable: bool) -> Decision | None:
        """Let a trial enter the rungs that its report reaches; returns the last decision, None if none was due."""
        if trial.number in self.audit.running_on:
            return None
        here = reached(self.unit, row.step, row.train_s)
        decisions = self._scheduler.report(trial.number, here, value, pausable=pausable)
        if not decisions:
            return None
        *before, last = decisions
        if last.action is Action.STOP and self.audit.picks(trial.number):
            last = replace(last, action=Action.AUDIT)
            self.audit.running_on.add(trial.number)
        self.record(trial, at, [*before, last])
        if last.action is Action.PAUSE:
            self._pause(trial, at, last)
        return last

    def diverge(self, trial: Trial, at: float) -> None:
        """Let a diverged trial enter its next rung, as the worst."""
        self._journal.rung_decisions(trial, at, self.restore_divergence(trial))

    def restore_divergence(self, trial: Trial) -> Sequence[Decision]:
        """Count a trial as diverged; returns what is decided about it. One that is audited is decided about already."""
        return () if trial.number in self.audit.running_on else self._scheduler.diverge(trial.number)

    def record(self, trial: Trial, at: float, decisions: Sequence[Decision]) -> None:
        """Record decisions about a trial, and tell the search of rungs where the trial is not stopped."""
        self._journal.rung_decisions(trial, at, decisions)
        for decision in decisions:
            self._tell(trial, decision, trial.train_s)

    def restore(self, trial: Trial, decision: Decision, train_s: float | None) -> None:
        """Take a recorded decision, which stands."""
        trial.rung = decision.rung
        if decision.action is Action.AUDIT:
            self.audit.running_on.add(trial.number)
        self._scheduler.restore(trial.number, decision)
        self._tell(trial, decision, train_s)

    def _tell(self, trial: Trial, decision: Decision, train_s: float | None) -> None:
        if decision.action is not Action.STOP:
            self._feedback.rung(trial, decision.rung, decision.value, train_s)

    # Paused trials -----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._paused)

    def __iter__(self) -> Iterator[Trial]:
        """The paused trials, by number."""
        return (self._trials[number] for number in sorted(self._paused))

    def value(self, trial: Trial) -> float:
        """The value of a paused trial at the rung where it waits."""
        return self._paused[trial.number]

    def _pause(self, trial: Trial, at: float, decision: Decision) -> None:
        trial.end_attempt(at)
        reason = f"{decision.value:g} at rung {self.name(decision.rung)}"
        self.restore_paused(trial, decision.value)
        self._journal.trial_event(trial, at, State.PAUSED, value=decision.value, cutoff=decision.cutoff, reason=reason)

    def restore_paused(self, trial: Trial, value: float) -> None:
        """Count a trial as paused with this value at its rung."""
        trial.state = State.PAUSED
        self._paused[trial.number] = value

    def next(self, at: float, *, closing: bool) -> Trial | None:
        """Promote the trial that should continue now, and return it; None if none should."""
        if not self._paused:
            return None
        number = self._scheduler.next_promotion(closing=closing)
        if number is None:
            return None
        trial = self._trials[number]
        self.promote(trial)
        self._journal.trial_event(trial, at, PROMOTED, reason=f"goes on beyond rung {self.name(trial.rung)}")
        return trial

    def promote(self, trial: Trial) -> None:
        """Count a paused trial as waiting for its next attempt."""
        self._scheduler.promote(trial.number)
        del self._paused[trial.number]
        trial.state = State.PENDING

    def surplus(self) -> Iterator[Trial]:
        """Paused trials that the scheduler gives up; each must be released before the next."""
        while self._paused and (number := self._scheduler.next_surplus()) is not None:
            yield self._trials[number]

    def release(self, trial: Trial) -> None:
        """Count a trial as paused no longer: it ends."""
        self._scheduler.release(trial.number)
        del self._paused[trial.number]

    def run_on(self, trial: Trial, at: float) -> bool:
        """Let a paused trial that is not promoted run on, if it is audited; returns whether it is."""
        if not self.audit.picks(trial.number):
            return False
        value, rung = self.value(trial), self.name(trial.rung)
        self.restore_audit(trial)
        reason = f"audited: not promoted beyond rung {rung}, and runs on"
        self._journal.trial_event(trial, at, PROMOTED, value=value, decision=Action.AUDIT, reason=reason)
        return True

    def restore_audit(self, trial: Trial) -> None:
        """Count a paused trial that is not promoted as waiting for an attempt that runs on to the end."""
        self.release(trial)
        self.audit.running_on.add(trial.number)
        trial.state = State.PENDING
