"""What a sweep has to start: attempts at known trials first, then the configurations that the search proposes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from orchestrator.core.rows import Config, Origin
from orchestrator.core.search import Search
from orchestrator.core.trial import Trial
from orchestrator.spec import Space

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0


def wait_after(failures: int) -> float:
    """Seconds until a trial that has failed so often is tried again: each time twice as long, up to a minute."""
    return float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures - 1, 10)))


class TrialQueue:
    """Knows how often what was tried, so that nothing is proposed more often than the search means it to be.

    Attributes:
        proposed: How many trials the search or the start points gave; what people add or retry comes on top.
        used_up: Whether the search has nothing left to propose.
    """

    def __init__(self, *, space: Space, search: Search, trials: int, start: Sequence[Config] = ()) -> None:
        """
        Args:
            space: Of the configurations.
            search: Proposes them.
            trials: How many it may propose, start points included.
            start: What comes before the search's own.
        """
        self.proposed = 0
        self.used_up = False
        self._space = space
        self._search = search
        self._trials = trials
        self._points = list(start)
        self._tried: Counter[str] = Counter()  # how often; what is tried once more after its end counts once
        self._waiting: list[tuple[float, Trial]] = []  # (not before, trial), in the order of asking

    # Attempts at known trials ------------------------------------------------------------------------------------

    def requeue(self, trial: Trial, *, not_before: float = -math.inf) -> None:
        """An attempt at this trial is wanted, from that time on."""
        self._waiting.append((not_before, trial))

    def enqueue(self, trial: Trial) -> None:
        """A trial that the search did not ask for just now runs next: the search is to count it as running."""
        self._search.resume(trial.number, trial.config)
        self.requeue(trial)

    def due(self, at: float) -> Trial | None:
        """The first trial whose attempt may start now, taken from the list."""
        for index, (not_before, trial) in enumerate(self._waiting):
            if not_before <= at:
                del self._waiting[index]
                return trial
        return None

    @property
    def next_at(self) -> float | None:
        """When the next attempt at a known trial may start; None if none waits."""
        return min((not_before for not_before, _ in self._waiting), default=None)

    def clear(self) -> list[Trial]:
        """Give up on all that waits; returns it."""
        waiting, self._waiting = self._waiting, []
        return [trial for _, trial in waiting]

    # New trials ---------------------------------------------------------------------------------------------------

    def count(self, config: Config, origin: Origin) -> None:
        """A trial of this configuration exists now."""
        self._tried[self._space.key(config)] += origin is not Origin.RETRY
        self.proposed += origin in (Origin.START, Origin.SEARCH)

    def tried(self, config: Config) -> bool:
        """Whether there is a trial of this configuration."""
        return self._tried[self._space.key(config)] > 0

    def propose(self, number: int) -> tuple[Config, Origin] | None:
        """The next new configuration, for a trial of this number; None if there is none any more."""
        if self.proposed >= self._trials or self.used_up:
            return None
        while self._points:
            config = self._points.pop(0)
            if self._acceptable(config):
                self._search.resume(number, config)
                return config, Origin.START
        found = self._search.ask(number, self._acceptable)
        self.used_up = found is None
        return None if found is None else (found, Origin.SEARCH)

    def _acceptable(self, config: Config, times: int = 1) -> bool:
        return self._tried[self._space.key(config)] < times and self._space.feasible(config)

    @property
    def exhausted(self) -> bool:
        """Whether nothing is to be started any more."""
        return (self.used_up or self.proposed >= self._trials) and not self._waiting
