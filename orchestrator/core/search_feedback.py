"""What the search is told of a trial's end: its value, its value at a rung, or a penalty."""

from __future__ import annotations

from orchestrator.core.search import Observation, Search
from orchestrator.core.trial import Trial


class SearchFeedback:
    """Tells results to a search, and diverged trials as the worst finite value there has been.

    A trial that diverged before there was any finite value is told as soon as there is one.
    """

    def __init__(self, search: Search, mode: str) -> None:
        self._search = search
        self._mode = mode
        self._worst: float | None = None
        self._owed: list[Trial] = []

    def result(self, trial: Trial, value: float, *, step: int | None = None) -> None:
        """A trial trained to its end, or was stopped at a rung (``step``) with this value."""
        worst = self._worst
        if worst is None or (value > worst if self._mode == "min" else value < worst):
            self._worst = value
        self._search.tell(Observation(number=trial.number, config=trial.config, value=value, step=step))
        owed, self._owed = self._owed, []
        for diverged in owed:
            self.diverged(diverged)

    def diverged(self, trial: Trial) -> None:
        """A trial diverged."""
        if self._worst is None:
            self._owed.append(trial)
        else:
            self._search.tell(Observation(number=trial.number, config=trial.config, value=self._worst))

    def no_result(self, trial: Trial) -> None:
        """A trial ended without a result."""
        self._search.forget(trial.number)
