"""What the search learns of trials: that they run, what they reached at rungs, and how they ended."""

from __future__ import annotations

from orchestrator.core.rows import FINISHED, Origin, State
from orchestrator.core.search import Observation, Outcome, Search
from orchestrator.core.trial import Trial

_OUTCOMES = {
    State.STOPPED: Outcome.STOPPED,
    State.COMPLETED: Outcome.COMPLETED,
    State.DIVERGED: Outcome.DIVERGED,
    State.FAILED: Outcome.FAILED,
}


class SearchFeedback:
    """Tells the search of trials; the same calls are made while a sweep runs and when it is replayed."""

    def __init__(self, search: Search, full_s: int | None = None) -> None:
        """
        Args:
            search: The search.
            full_s: Seconds of a full training, where rungs are at seconds: then the search is told of seconds in place
                of steps. None: rungs are at steps.
        """
        self._search = search
        self._full_s = full_s

    def running(self, trial: Trial) -> None:
        """Let the search count a trial as running that it did not propose just now."""
        self._search.resume(trial.number, trial.config)

    def rung(self, trial: Trial, rung: int, value: float, train_s: float | None) -> None:
        """Tell a value at a rung, where the trial goes on."""
        self._tell(trial, Outcome.RUNG, value, rung, train_s)

    def ended(self, trial: Trial, value: float | None, last_step: int | None, train_s: float | None) -> None:
        """Tell how a trial has ended; a cancelled one is forgotten."""
        if trial.state is State.CANCELLED:
            self._search.forget(trial.number)
        else:
            step = trial.rung if trial.state is State.STOPPED else self._reached(trial, last_step, train_s)
            self._tell(trial, _OUTCOMES[trial.state], value, step, train_s)

    def _reached(self, trial: Trial, last_step: int | None, train_s: float | None) -> int | None:
        """How far a trial came that no rung has stopped. One that ended by itself trained in full."""
        if self._full_s is None or last_step is None:
            return last_step
        if trial.state is State.COMPLETED and (trial.reason == FINISHED or trial.origin is Origin.REUSED):
            return self._full_s
        return min(self._full_s, int(train_s or 0.0))

    def _tell(
        self, trial: Trial, outcome: Outcome, value: float | None, step: int | None, train_s: float | None
    ) -> None:
        self._search.tell(
            Observation(
                number=trial.number, config=trial.config, outcome=outcome, value=value, step=step, train_s=train_s
            )
        )
