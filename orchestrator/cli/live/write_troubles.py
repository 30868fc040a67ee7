"""Keeps what a running sweep cannot write at present, and since when."""

from __future__ import annotations

import time
from collections.abc import Callable

from orchestrator.driver.observer import FREE_RESOURCES
from orchestrator.formatting import duration


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
        again = "there" if what == FREE_RESOURCES else "written"
        return f"{what} are {again} again, after {duration(self._clock() - self._began.pop(what, self._clock()))}"
