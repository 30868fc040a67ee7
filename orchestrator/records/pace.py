"""How often something may be written: writing takes at most a twentieth of the time."""

from __future__ import annotations

from collections.abc import Callable

SHARE = 20
"""The interval is at least so many times the last write."""


class Pace:
    """When the next write is due: ``least`` seconds after the last, and 20 × as long as that took."""

    def __init__(self, clock: Callable[[], float], *, least: float) -> None:
        self._clock = clock
        self._least = least
        self._next = clock() + least

    def due(self) -> bool:
        """Whether enough time has passed."""
        return self._clock() >= self._next

    def wrote(self, seconds: float) -> None:
        """A write, or a failed attempt at one, ended just now after so many seconds."""
        self._next = self._clock() + max(self._least, SHARE * seconds)
