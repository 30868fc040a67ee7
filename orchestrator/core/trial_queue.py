"""What a sweep starts next: waiting attempts of known trials, then configurations that the search proposes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from orchestrator.core.rows import Config, Origin
from orchestrator.core.search import NotReadyError, Search
from orchestrator.core.trial import Trial
from orchestrator.spec import Space

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0


def wait_after(failures: int) -> float:
    """Seconds to wait before retrying a trial with this many failures: doubled each time, up to a minute."""
    return float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures - 1, 10)))


class TrialQueue:
    """Hands out attempts, and counts how often each configuration was tried, so that the search proposes no duplicates.

    Attributes:
        proposed: How many trials came from the start points or the search; added and retried ones do not count.
        used_up: Whether the search has nothing left to propose.
    """

    def __init__(self, *, space: Space, search: Search, trials: int | None, start: Sequence[Config] = ()) -> None:
        """
        Args:
            space: The search space.
            search: Proposes configurations.
            trials: How many trials the search may propose, start points included; None: any number.
            start: Configurations to try before those of the search.
        """
        self.proposed = 0
        self.used_up = False
        self._space = space
        self._search = search
        self._trials = math.inf if trials is None else trials
        self._points = list(start)
        self._tried: Counter[str] = Counter()  # trials by configuration; a retry does not count
        self._waiting: list[tuple[float, Trial]] = []  # (not before, trial), in order of arrival

    # Attempts at known trials ------------------------------------------------------------------------------------

    def requeue(self, trial: Trial, *, not_before: float = -math.inf) -> None:
        """Queue another attempt at a trial, to start at ``not_before`` or later."""
        self._waiting.append((not_before, trial))

    def enqueue(self, trial: Trial) -> None:
        """Queue a trial that the search did not just propose; the search counts it as running."""
        self._search.resume(trial.number, trial.config)
        self.requeue(trial)

    def due(self, at: float) -> Trial | None:
        """Remove and return the first trial whose attempt may start now; None if there is none."""
        for index, (not_before, trial) in enumerate(self._waiting):
            if not_before <= at:
                del self._waiting[index]
                return trial
        return None

    @property
    def next_at(self) -> float | None:
        """When the next waiting attempt may start; None if no attempt waits."""
        return min((not_before for not_before, _ in self._waiting), default=None)

    def clear(self) -> list[Trial]:
        """Remove and return all waiting trials."""
        waiting, self._waiting = self._waiting, []
        return [trial for _, trial in waiting]

    # New trials ---------------------------------------------------------------------------------------------------

    def count(self, config: Config, origin: Origin) -> None:
        """Count a new trial with this configuration."""
        self._tried[self._space.key(config)] += origin is not Origin.RETRY
        self.proposed += origin in (Origin.START, Origin.SEARCH, Origin.REUSED)

    def tried(self, config: Config) -> bool:
        """Whether a trial with this configuration exists."""
        return self._tried[self._space.key(config)] > 0

    def propose(self, number: int) -> tuple[Config, Origin] | None:
        """The next new configuration, for the trial with this number; None if none is left, or none is ready yet."""
        if self.proposed >= self._trials or self.used_up:
            return None
        while self._points:
            config = self._points.pop(0)
            if self._acceptable(config):
                self._search.resume(number, config)
                return config, Origin.START
        try:
            found = self._search.ask(number, self._acceptable)
        except NotReadyError:
            return None
        self.used_up = found is None
        return None if found is None else (found, Origin.SEARCH)

    def _acceptable(self, config: Config, times: int = 1) -> bool:
        """Whether to try it. In an open space it is not what a trial has in the end, so it counts as untried."""
        untried = self._space.open or self._tried[self._space.key(config)] < times
        return untried and self._space.feasible(config)

    @property
    def closed(self) -> bool:
        """Whether the search will propose nothing more."""
        return self.used_up or self.proposed >= self._trials

    @property
    def exhausted(self) -> bool:
        """Whether there is nothing left to start."""
        return self.closed and not self._waiting
