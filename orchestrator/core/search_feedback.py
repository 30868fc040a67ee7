"""What the search is told of a trial's end: its value, its value at a rung, or a penalty."""

from __future__ import annotations

from orchestrator.core.search import Search, Told
from orchestrator.core.trial import Life


class Teller:
    """Tells results to a search, and diverged trials as the worst finite value there has been.

    A trial that diverged before there was any finite value is told as soon as there is one.
    """

    def __init__(self, search: Search, mode: str) -> None:
        self._search = search
        self._mode = mode
        self._worst: float | None = None
        self._owed: list[Life] = []

    def result(self, life: Life, value: float, *, step: int | None = None) -> None:
        """A trial trained to its end, or was stopped at a rung (``step``) with this value."""
        worst = self._worst
        if worst is None or (value > worst if self._mode == "min" else value < worst):
            self._worst = value
        self._search.tell(Told(number=life.number, config=life.config, value=value, step=step))
        owed, self._owed = self._owed, []
        for diverged in owed:
            self.diverged(diverged)

    def diverged(self, life: Life) -> None:
        """A trial diverged."""
        if self._worst is None:
            self._owed.append(life)
        else:
            self._search.tell(Told(number=life.number, config=life.config, value=self._worst))

    def nothing(self, life: Life) -> None:
        """A trial ended without a result."""
        self._search.forget(life.number)
