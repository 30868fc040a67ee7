"""The time of a sweep that runs: it begins as the system's clock, and passes steadily, whatever is set there.

A clock that is put right by an hour would otherwise use up an hour of ``budget.hours``, and give trials an hour more.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class SteadyClock:
    """Returns seconds since the epoch, which never jump."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._steady = steady
        self.begin()

    def begin(self) -> None:
        """Read both clocks, as a session begins; from then on the steady one counts."""
        self._offset = self._wall() - self._steady()

    def __call__(self) -> float:
        return self._offset + self._steady()


now = SteadyClock()
"""The time in this process, in seconds since the epoch."""
