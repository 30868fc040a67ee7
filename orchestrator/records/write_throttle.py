"""How often something may be written: writing takes a fiftieth of the time, or on a slow disk at most a twentieth.

A write encodes the newest file of a log anew, which takes longer the fuller that is. So a sweep that reports little is
written every second, and one that reports thousands of times a second every few seconds. A disk on which that would
come to more than ten seconds may take more of the time instead: what is not written, a crash of the driver leaves out.
"""

from __future__ import annotations

from collections.abc import Callable

SHARE = 50
SHARE_IF_SLOW = 20
"""The interval is at least so many times the last write."""
SLOW_S = 10.0
"""From which interval on a disk is slow."""


class Pace:
    """When the next write is due: ``least`` seconds after the last, and 50 (or 20) × as long as that took."""

    def __init__(self, clock: Callable[[], float], *, least: float) -> None:
        self._clock = clock
        self._least = least
        self._last = clock()
        self._spent = 0.0

    def due(self) -> bool:
        """Whether enough time has passed."""
        paid = min(SHARE * self._spent, max(SLOW_S, SHARE_IF_SLOW * self._spent))
        return self._clock() >= self._last + max(self._least, paid)

    def wrote(self, seconds: float) -> None:
        """A write, or a failed attempt at one, ended just now after so many seconds."""
        self._last, self._spent = self._clock(), seconds

    def also(self, seconds: float) -> None:
        """Something else was written since the last write, which took so many seconds, too."""
        self._spent += seconds
