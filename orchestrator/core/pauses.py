"""The paused trials of a sweep: how they leave their slots, are promoted, and end.

The scheduler decides; here its decisions become states of trials and events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.core.journal import Journal
from orchestrator.core.rows import PROMOTED, State
from orchestrator.core.schedulers import Decision, Scheduler
from orchestrator.core.trial import Trial


class Pauses:
    """Pauses and promotes the trials of one sweep."""

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        journal: Journal,
        trials: Sequence[Trial],
    ) -> None:
        """
        Args:
            scheduler: Decides.
            journal: Takes the events.
            trials: All trials of the sweep, by number; it may grow.
        """
        self._scheduler = scheduler
        self._journal = journal
        self._trials = trials
        self._values: dict[int, float] = {}  # by trial, at the rung where it waits

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Trial]:
        """The paused trials, by number."""
        return (self._trials[number] for number in sorted(self._values))

    def pause(self, trial: Trial, at: float, decision: Decision) -> None:
        """Take a trial out of its slot."""
        trial.end_attempt(at)
        reason = f"{decision.value:g} at rung {decision.rung}"
        self.restore(trial, decision.value)
        self._journal.trial_event(trial, at, State.PAUSED, value=decision.value, cutoff=decision.cutoff, reason=reason)

    def restore(self, trial: Trial, value: float) -> None:
        """Count a trial as paused with this value at its rung."""
        trial.state = State.PAUSED
        self._values[trial.number] = value

    def value(self, trial: Trial) -> float:
        """The value of a paused trial at the rung where it waits."""
        return self._values[trial.number]

    def next(self, at: float, *, closing: bool) -> Trial | None:
        """Promote the trial that should continue now, and return it; None if none should."""
        if not self._values:
            return None
        number = self._scheduler.next_promotion(closing=closing)
        if number is None:
            return None
        trial = self._trials[number]
        self.promote(trial)
        self._journal.trial_event(trial, at, PROMOTED, reason=f"goes on beyond rung {trial.rung}")
        return trial

    def promote(self, trial: Trial) -> None:
        """Count a paused trial as waiting for its next attempt."""
        self._scheduler.promote(trial.number)
        del self._values[trial.number]
        trial.state = State.PENDING

    def surplus(self) -> Iterator[Trial]:
        """Paused trials that the scheduler gives up; each must be released before the next."""
        while self._values and (number := self._scheduler.next_surplus()) is not None:
            yield self._trials[number]

    def release(self, trial: Trial) -> None:
        """Count a trial as paused no longer: it ends."""
        self._scheduler.release(trial.number)
        del self._values[trial.number]
