"""Limits how often records are written: to 2% of the driver's time, or up to 5% on a slow disk.

Each write encodes the newest file of a log again, which takes longer the fuller the file is. So a sweep with few
reports is written every second, and a sweep with thousands of reports a second every few seconds. If the limit of 2%
would mean more than ten seconds between two writes, writing may take up to 5%, because a crash of the driver loses
unwritten rows.
"""

from __future__ import annotations

from collections.abc import Callable

SHARE = 50
SHARE_IF_SLOW = 20
"""The interval between writes is at least this many times the duration of the last write."""
SLOW_S = 10.0
"""The interval in seconds from which on SHARE_IF_SLOW applies."""


class WriteThrottle:
    """Decides when the next write is due: ``least`` seconds after the last one, or 50 (or 20) × its duration."""

    def __init__(self, clock: Callable[[], float], *, least: float) -> None:
        self._clock = clock
        self._least = least
        self._last = clock()
        self._spent = 0.0

    def due(self) -> bool:
        """Whether the next write is due."""
        paid = min(SHARE * self._spent, max(SLOW_S, SHARE_IF_SLOW * self._spent))
        return self._clock() >= self._last + max(self._least, paid)

    def written(self, seconds: float) -> None:
        """Note that a write, or a failed attempt, just ended after this many seconds."""
        self._last, self._spent = self._clock(), seconds

    def add_seconds(self, seconds: float) -> None:
        """Add the seconds of another write to those of the last write."""
        self._spent += seconds
