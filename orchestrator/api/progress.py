"""Shows a sweep that a script or a notebook runs: the screen of `sweep launch` in a terminal, its lines in a pipe, and
the same drawing, updated in place, below the cell of a notebook."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from io import StringIO
from types import TracebackType
from typing import TYPE_CHECKING, Any

from orchestrator import steady_clock
from orchestrator.analysis.report.notebook import kernel

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from orchestrator.cli.live.launch_screen import Surface
    from orchestrator.cli.live.progress import Progress
    from orchestrator.core.sweep import Sweep
    from orchestrator.driver.observer import Observer
    from orchestrator.driver.session import Session
    from orchestrator.records.paths import SweepPaths

WIDTH = 100
"""Characters of a line in a notebook."""

EVERY_S = 0.5
"""Seconds between two updates of a notebook: each is a message to the browser."""

SAID = 10
"""Messages that stand above the drawing in a notebook, the newest ones."""


class ProgressDisplay:
    """Makes the observer of a sweep, and closes the screen when the sweep ends.

    Attributes:
        observer: What ``launch`` and ``resume`` take; None if nothing is shown.
    """

    def __init__(self, wanted: bool | None, name: str) -> None:
        """Nothing is shown yet.

        Args:
            wanted: As ``progress`` of ``orchestrator.run``.
            name: What the sweep is called, unless that name is taken.
        """
        self._name = name
        self._surface = _surface() if wanted is not False else None
        self._in_lines = bool(wanted) and self._surface is None
        self._sweep: tuple[Sweep, SweepPaths, Progress] | None = None
        shown = self._surface is not None or self._in_lines
        self.observer: Callable[[Session], Observer] | None = self._observe if shown else None

    def __enter__(self) -> ProgressDisplay:
        if self._surface is not None:
            self._surface.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._surface is None:
            return
        if self._sweep is not None:
            self._surface.conclude(_conclusion(*self._sweep))
        self._surface.__exit__(kind, error, trace)

    def say(self, text: str) -> None:
        """Say what is waited for, before there is an observer, where somebody sees the sweep."""
        if self._surface is not None:
            self._surface.say(text)

    def _observe(self, session: Session) -> Observer:
        from orchestrator.cli.live.launch_screen import ScreenObserver
        from orchestrator.cli.live.lines import LineObserver
        from orchestrator.cli.live.progress import Progress

        sweep, paths = session.sweep, session.paths
        progress = Progress.of(sweep, slots=session.slots)
        self._sweep = (sweep, paths, progress)
        if self._surface is None:
            return LineObserver(progress)
        if paths.name != self._name:
            self._surface.say(f"{self._name} exists, so this one is {paths.name}")
        return ScreenObserver(self._surface, progress, paths)


def _surface() -> Surface | None:
    """Where somebody sees the sweep; None: nowhere."""
    if kernel() is not None:
        return NotebookSurface()
    if sys.stdout.isatty() and sys.stderr.isatty():
        from orchestrator.cli.live.launch_screen import Screen

        return Screen()
    return None


class NotebookSurface:
    """An output of the running cell, replaced again and again."""

    def __init__(self) -> None:
        self._said: list[RenderableType] = []
        self._drawn: RenderableType = "starting Ray …"
        self._handle: Any = None
        self._next = 0.0

    def __enter__(self) -> NotebookSurface:
        from IPython.display import display

        self._handle = display(self._html(), display_id=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._update()

    def say(self, text: Text | str) -> None:
        """Write a message above the drawing."""
        self._said = [*self._said, text][-SAID:]

    def draw(self, drawing: RenderableType) -> None:
        """Replace the drawing, if it is time to."""
        self._drawn = drawing
        if time.monotonic() >= self._next:
            self._update()

    def conclude(self, text: str) -> None:
        """Leave a sentence in place of the drawing."""
        self._drawn = text

    def _update(self) -> None:
        self._next = time.monotonic() + EVERY_S
        self._handle.update(self._html())

    def _html(self) -> Any:
        from IPython.display import HTML
        from rich.console import Console

        console = Console(
            file=StringIO(), record=True, width=WIDTH, force_terminal=True, force_jupyter=False, markup=False
        )
        for each in (*self._said, self._drawn):
            console.print(each, highlight=False)
        return HTML(console.export_html(inline_styles=True, code_format="<pre>{code}</pre>"))


def _conclusion(sweep: Sweep, paths: SweepPaths, progress: Progress) -> str:
    """What came of the sweep, in a line or two."""
    from orchestrator.core.rows import State
    from orchestrator.formatting import count, duration

    progress.look(sweep, steady_clock.now())
    states = ", ".join(f"{progress.counts[state]} {state}" for state in State if progress.counts[state])
    trials = count(progress.counts.total(), "trial") + (f" ({states})" if states else "")
    text = f"{paths.name}: {trials} in {duration(progress.wall_s)}"
    if (best := sweep.best) is not None:
        text += f"; best {best.objective.metric} {best.result:.6g} (trial {best.number})"
    return f"{text}; recorded in {paths.root}"
