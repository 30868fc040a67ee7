"""One drawing of the report by itself: a value that shows itself in a notebook and can be saved as a page."""

from __future__ import annotations

import html
from pathlib import Path

from orchestrator.analysis.report.collect import collect
from orchestrator.analysis.report.page import FigureName, figure, save
from orchestrator.records.paths import SweepPaths

HEIGHT = 420
"""Pixels of the frame in a notebook, until the drawing in it says how high it is."""


class Figure:
    """A drawing with all that belongs to it: it needs no network and no other file."""

    def __init__(self, page: str, title: str) -> None:
        self.page = page
        self._title = title

    @classmethod
    def of(cls, paths: SweepPaths, name: FigureName) -> Figure:
        """Draw what a sweep has recorded so far.

        Raises:
            RecordsError: The records are damaged.
        """
        return cls(figure(collect(paths), name), f"{name} of {paths.name}")

    def save(self, path: str | Path) -> None:
        """Write it as a page of HTML.

        Raises:
            UserError: A file that is not of this kind has that name, or it cannot be written.
        """
        save(Path(path), self.page)

    def _repr_html_(self) -> str:
        """In a frame, so that neither its styles nor its scripts meet those of the notebook."""
        title, page = html.escape(self._title), html.escape(self.page)
        style = f"width: 100%; height: {HEIGHT}px; border: 0"
        return f'<iframe title="{title}" srcdoc="{page}" style="{style}"></iframe>'

    def __repr__(self) -> str:
        return f"<Figure {self._title}: the last line of a notebook cell shows it, .save(path) writes a page>"
