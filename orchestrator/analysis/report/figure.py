"""A single chart of the report, which a notebook displays and which can be saved as a page."""

from __future__ import annotations

import html
from pathlib import Path

from orchestrator.analysis.report.collect import collect
from orchestrator.analysis.report.page import FigureName, figure, save
from orchestrator.records.paths import SweepPaths

HEIGHT = 420
"""Pixels of the frame in a notebook, until the chart reports its own height."""


class Figure:
    """A self-contained chart: it needs no network and no other file."""

    def __init__(self, page: str, title: str) -> None:
        self.page = page
        self._title = title

    @classmethod
    def of(cls, paths: SweepPaths, name: FigureName) -> Figure:
        """Draw a chart of what a sweep has recorded so far.

        Raises:
            RecordsError: The records are damaged.
        """
        return cls(figure(collect(paths), name), f"{name} of {paths.name}")

    def save(self, path: str | Path) -> None:
        """Save the chart as an HTML page.

        Raises:
            UserError: Another file has that name, or the file cannot be written.
        """
        save(Path(path), self.page)

    def _repr_html_(self) -> str:
        """The chart in a frame, which isolates its styles and scripts from the notebook's."""
        title, page = html.escape(self._title), html.escape(self.page)
        style = f"width: 100%; height: {HEIGHT}px; border: 0"
        return f'<iframe title="{title}" srcdoc="{page}" style="{style}"></iframe>'

    def __repr__(self) -> str:
        return f"<Figure {self._title}: the last line of a notebook cell displays it, .save(path) writes a page>"
