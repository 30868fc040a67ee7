"""A recorded sweep that shows itself: what `orchestrator.load` and `orchestrator.run` give to scripts and notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.records import load as records

if TYPE_CHECKING:
    from orchestrator.analysis.report.figure import Figure
    from orchestrator.analysis.report.page import FigureName

BEST = 5
"""So many of the best trials stand in the summary."""


def load(path: str | Path) -> Sweep:
    """Open a sweep by its directory, as in ``load("results/churn")``. Nothing is read yet but sweep.json.

    Raises:
        NoSuchSweepError: There is no sweep; the sentence lists the nearest names.
        RecordsError: sweep.json is damaged, or of a newer version of the records.
    """
    return Sweep(records.load(path).paths)


class Sweep(records.Sweep):
    """The records of one sweep, with the drawings of its report. As they read the records, they work while it runs."""

    def curves(self) -> Figure:
        """The learning curves, coloured by outcome, with rungs and cut-offs."""
        return self._figure("curves")

    def parallel(self) -> Figure:
        """Parallel coordinates: a line a trial, an axis a parameter; a range drawn on an axis filters."""
        return self._figure("parallel")

    def slices(self) -> Figure:
        """Each parameter against the objective."""
        return self._figure("slices")

    def _figure(self, name: FigureName) -> Figure:
        from orchestrator.analysis.report.figure import Figure

        return Figure.of(self.paths, name)

    def _repr_html_(self) -> str:
        from orchestrator.analysis.report.page import summary
        from orchestrator.analysis.summary.overview import objective_of, overview
        from orchestrator.analysis.summary.ranking import best_trials

        best = best_trials(self.paths, self.info, BEST)
        return summary(self.info, overview(self.paths), objective_of(self.info), best)
