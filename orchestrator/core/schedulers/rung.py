"""One rung: the values that entered it, their running quantile, who went on and who waits to be promoted."""

from __future__ import annotations

import bisect
import heapq
import math

BURST = 2
"""Trials that may survive a rung in a row, beyond one in eta, after none did for long."""

DEBT = 2
"""Trials that may go on beyond one in eta, each because it is the best so far."""

SPARE = 50
"""Paused trials that a rung keeps beyond those that it could promote now."""


class Rung:
    """The trials that entered one rung.

    Values are losses: lower is better, infinity is a diverged trial. Two heaps split the values at position
    (n - 1) / eta from the best, which moves by at most one per value: O(log n) per value, without sorting.

    Attributes:
        step: The step of the rung.
        entered: How many trials have entered it.
        stopped: How many of them were stopped here, at once or after a pause.
        diverged: How many of them diverged.
    """

    __slots__ = (
        "_best",
        "_credit",
        "_eta",
        "_lost",
        "_lowest",
        "_newest_is_best",
        "_passed",
        "_paused",
        "_rest",
        "diverged",
        "step",
        "stopped",
    )

    def __init__(self, step: int, eta: int) -> None:
        self.step = step
        self.stopped = 0
        self.diverged = 0
        self._eta = eta
        self._best: list[float] = []  # heap of the best floor((n - 1) / eta) + 1, negated: their worst on top
        self._rest: list[float] = []  # heap of all others: their best on top
        self._credit = eta - 1  # an arrival adds 1, going on costs eta
        self._lowest = math.inf
        self._newest_is_best = False
        self._lost = 0  # of the trials that went on: those that diverged later
        self._passed: list[float] = []  # the losses of the trials that went on, ascending
        self._paused: list[tuple[float, int]] = []  # (loss, trial), ascending

    @property
    def entered(self) -> int:
        """How many trials have entered the rung."""
        return len(self._best) + len(self._rest)

    @property
    def passed(self) -> int:
        """How many trials went on from here."""
        return len(self._passed)

    @property
    def paused(self) -> int:
        """How many trials wait here."""
        return len(self._paused)

    def enter(self, loss: float) -> float:
        """Add a loss; returns the cutoff, computed with the new loss."""
        if loss == math.inf:
            self.diverged += 1
        self._credit = min(self._credit + 1, BURST * self._eta)
        self._newest_is_best = loss < self._lowest
        self._lowest = min(self._lowest, loss)
        worst_of_best = heapq.heappushpop(self._best, -loss)
        heapq.heappush(self._rest, -worst_of_best)
        if len(self._best) <= (self.entered - 1) // self._eta:
            heapq.heappush(self._best, -heapq.heappop(self._rest))
        return self.cutoff()

    def cutoff(self) -> float:
        """The 1/eta quantile of the losses; infinities count in the ranks, but are not interpolated with."""
        below = -self._best[0]
        fraction = (self.entered - 1) % self._eta / self._eta
        if not fraction or self._rest[0] == math.inf:
            return below
        return below + (self._rest[0] - below) * fraction

    def go_on(self, loss: float) -> None:
        """Count a trial that goes on."""
        self._credit -= self._eta
        bisect.insort(self._passed, loss)

    def lose(self) -> None:
        """Give back the place of a trial that went on and diverged later."""
        self._credit += self._eta
        self._lost += 1

    # Stopping ----------------------------------------------------------------------------------------------------

    def survives(self, loss: float) -> bool:
        """Whether the trial that has just entered goes on, where it cannot pause.

        Its loss must be within the 1/eta quantile, its own included, as in Syne Tune and Ray Tune. When proposals
        improve with time, most are: so no more than one in eta goes on, apart from ``BURST`` and, if it is the best so
        far, ``DEBT``.
        """
        if loss > self.cutoff() or loss == math.inf:
            return False
        return self._credit >= (self._eta * (1 - DEBT) if self._newest_is_best else self._eta)

    # Pausing (Li et al. 2020, algorithm 2) -----------------------------------------------------------------------

    def pause(self, trial: int, loss: float) -> None:
        """Let a trial wait here."""
        bisect.insort(self._paused, (loss, trial))

    def leave(self, trial: int) -> float:
        """Remove a waiting trial; returns its loss."""
        index = next(index for index, (_, each) in enumerate(self._paused) if each == trial)
        return self._paused.pop(index)[0]

    def promotable(self, *, closing: bool) -> int | None:
        """The best waiting trial, if it is among the best 1/eta of all that entered; rounded up if ``closing``."""
        if not self._paused:
            return None
        loss, trial = self._paused[0]
        return trial if self._is_among_best(loss, self._places(closing=closing)) else None

    def promotes(self, loss: float) -> bool:
        """Whether a trial that has just entered would be promoted next."""
        best_waiting = self._paused[0][0] if self._paused else math.inf
        return loss < best_waiting and self._is_among_best(loss, self._places(closing=False))

    def surplus(self) -> int | None:
        """The worst waiting trial, if more wait than could be promoted, and ``SPARE``; None if not."""
        places = max(0, self._places(closing=True) - len(self._passed))
        return self._paused[-1][1] if len(self._paused) > places + SPARE else None

    def _places(self, *, closing: bool) -> int:
        return -(-self.entered // self._eta) if closing else self.entered // self._eta

    def _is_among_best(self, loss: float, places: int) -> bool:
        """Whether the loss has one of the places, of which those that went on take theirs.

        When proposals improve with time, each is among the best as it comes: no more than ``DEBT`` of them go on beyond
        the places, and only if they are the best so far.
        """
        better = bisect.bisect_right(self._passed, loss)
        return better < places and len(self._passed) - self._lost < places + (0 if better else DEBT)
