"""Keeps what a running sweep cannot write at present, and since when."""

from __future__ import annotations

import time
from collections.abc import Callable

from orchestrator.driver.observer import FREE_RESOURCES, SILENT_TRIALS
from orchestrator.formatting import duration

OVER = {
    FREE_RESOURCES: "free resources are there again",
    SILENT_TRIALS: "no trial is unusually silent any more",
}
"""What is said when a trouble is over, unless it was about writing."""


class WriteTroubles:
    """Turns the beginning and the end of a trouble into a line of text.

    Attributes:
        standing: The sentence about each trouble that lasts, by what is in trouble.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.standing: dict[str, str] = {}
        self._clock = clock
        self._began: dict[str, float] = {}

    def line(self, what: str, why: str | None) -> str:
        """The line about a trouble that begins, or that ends if ``why`` is None; see ``Observer.trouble``."""
        if why is not None:
            self.standing[what], self._began[what] = why, self._clock()
            return why
        self.standing.pop(what, None)
        over = OVER.get(what, f"{what} are written again")
        return f"{over}, after {duration(self._clock() - self._began.pop(what, self._clock()))}"
