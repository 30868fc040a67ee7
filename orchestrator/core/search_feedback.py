"""What the search learns when a trial ends: its value, its value at a rung, or a penalty."""

from __future__ import annotations

from orchestrator.core.search import Observation, Search
from orchestrator.core.trial import Trial


class SearchFeedback:
    """Passes results to the search. A diverged trial counts as the worst finite value so far.

    A trial that diverged before the first finite value is passed on as soon as there is one.
    """

    def __init__(self, search: Search, mode: str) -> None:
        self._search = search
        self._mode = mode
        self._worst: float | None = None
        self._pending: list[Trial] = []

    def result(self, trial: Trial, value: float, *, step: int | None = None) -> None:
        """Pass on the result of a trial that completed, or was stopped at a rung (``step``) with this value."""
        worst = self._worst
        if worst is None or (value > worst if self._mode == "min" else value < worst):
            self._worst = value
        self._search.tell(Observation(number=trial.number, config=trial.config, value=value, step=step))
        pending, self._pending = self._pending, []
        for diverged in pending:
            self.diverged(diverged)

    def diverged(self, trial: Trial) -> None:
        """Pass on a penalty for a diverged trial."""
        if self._worst is None:
            self._pending.append(trial)
        else:
            self._search.tell(Observation(number=trial.number, config=trial.config, value=self._worst))

    def no_result(self, trial: Trial) -> None:
        """Let the search forget a trial that ended without a result."""
        self._search.forget(trial.number)
