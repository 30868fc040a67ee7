"""A single chart of the report, which a notebook displays and which can be saved as a page.

The code that draws, most of it D3, takes 330 kB. In a notebook the first figure carries it and lends it to the later
ones (``files/lend.js``, ``files/borrow.js``). When the first figure's cell runs again, its output is replaced, so the
new one carries the code again.
"""

from __future__ import annotations

import html
from pathlib import Path

from orchestrator.analysis.report import notebook
from orchestrator.analysis.report.collect import collect
from orchestrator.analysis.report.data import ReportData
from orchestrator.analysis.report.page import FigureName, Part, figure, save
from orchestrator.records.paths import SweepPaths

HEIGHT = 420
"""Pixels of the frame in a notebook, until the chart reports its own height."""


class Figure:
    """A chart of a recorded sweep: the last line of a notebook cell displays it, without a network."""

    def __init__(self, data: ReportData, name: FigureName) -> None:
        self._data = data
        self._name: FigureName = name

    @classmethod
    def of(cls, paths: SweepPaths, name: FigureName) -> Figure:
        """Draw a chart of what a sweep has recorded so far.

        Raises:
            RecordsError: The records are damaged.
        """
        return cls(collect(paths), name)

    @property
    def page(self) -> str:
        """The chart as an HTML page that needs no other file."""
        return figure(self._data, self._name)

    def save(self, path: str | Path) -> None:
        """Save the chart as an HTML page that needs no other file.

        Args:
            path: The file to write; an earlier report or figure there is replaced.

        Raises:
            UserError: Another file has that name, or the page cannot be written.
        """
        save(Path(path), self.page)

    def _repr_html_(self) -> str:
        """The chart in a frame, which isolates its styles and scripts from the notebook's."""
        part = _parts.next(*notebook.cell()) if notebook.shares_a_page() else "alone"
        title, page = html.escape(self._title), html.escape(figure(self._data, self._name, part))
        style = f"width: 100%; height: {HEIGHT}px; border: 0"
        return f'<iframe title="{title}" srcdoc="{page}" style="{style}"></iframe>'

    @property
    def _title(self) -> str:
        return f"{self._name} of {self._data.info.name}"

    def __repr__(self) -> str:
        return f"<Figure {self._title}: the last line of a notebook cell displays it, .save(path) writes a page>"


class Parts:
    """Which figures of a notebook carry the code that draws."""

    def __init__(self) -> None:
        self._cell: str | None = None  # that showed the figure with the code
        self._run = ""

    def next(self, cell: str, run: str) -> Part:
        """What the next figure is.

        Args:
            cell: The cell that shows it; "" if the notebook does not tell.
            run: The run of the cell.
        """
        again = bool(cell) and cell == self._cell and run != self._run
        if self._cell is not None and not again:
            return "later"
        self._cell, self._run = cell, run
        return "first"


_parts = Parts()
