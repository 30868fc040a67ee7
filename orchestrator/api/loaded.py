"""What ``orchestrator.load`` and ``orchestrator.run`` return: a recorded sweep that answers and draws itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.records import load as records

if TYPE_CHECKING:
    from orchestrator.analysis.report.figure import Figure
    from orchestrator.analysis.report.page import FigureName
    from orchestrator.api.answers import BestTrial, DiagnosisAnswer, ImportanceAnswer

TOP = 5
"""How many of the best trials the summary in a notebook shows."""


def load(path: str | Path) -> Sweep:
    """Open a recorded sweep, also while it runs. Only sweep.json is read; each table is read when it is first used.

    Args:
        path: The directory of the sweep, as in ``load("results/churn")``. The beginning of its name is enough.

    Returns:
        The sweep as recorded so far. To see what was recorded since, load it again.

    Raises:
        NoSuchSweepError: There is no such sweep; the error names the nearest ones.
        RecordsError: sweep.json is damaged, or was written by a newer version.
    """
    return Sweep(records.load(path).paths)


class Sweep(records.Sweep):
    """A recorded sweep. Everything here reads the records only, so it works while the sweep runs and after a crash.

    Attributes:
        name: The name of the sweep.
        spec: The spec as plain data, with defaults and overrides applied.
        trials: A pandas data frame with a row per trial. The columns are in results/README.md.
        metrics: A data frame with a row per report: ``trial``, ``step`` and a column per metric.
        events: A data frame with a row per decision and change of state.
        info: Where the sweep came from: versions, git commit, command line.
        paths: The files of the sweep.
    """

    @property
    def best(self) -> BestTrial | None:
        """The best trial so far, with its configuration and its checkpoint; None if no trial has a result.

        Raises:
            RecordsError: The records are damaged.
        """
        from orchestrator.api.answers import best_of

        return best_of(self.paths, self.info)

    def importance(self) -> ImportanceAnswer:
        """How much each hyperparameter matters: what `sweep show --importance` prints, and a data frame.

        Raises:
            RecordsError: The records are damaged.
        """
        from orchestrator.api.answers import importance_answer

        return importance_answer(self.paths, self.info)

    def diagnosis(self) -> DiagnosisAnswer:
        """What the learning curves show: what `sweep show --diagnosis` prints, and data frames.

        Raises:
            RecordsError: The records are damaged.
        """
        from orchestrator.api.answers import diagnosis_answer

        return diagnosis_answer(self.paths, self.info)

    def curves(self) -> Figure:
        """Draw the learning curves, coloured by outcome, with the scheduler's rungs and cutoffs.

        Raises:
            RecordsError: The records are damaged.
        """
        return self._figure("curves")

    def parallel(self) -> Figure:
        """Draw parallel coordinates: a line per trial, an axis per hyperparameter; a range on an axis filters.

        Raises:
            RecordsError: The records are damaged.
        """
        return self._figure("parallel")

    def slices(self) -> Figure:
        """Draw each hyperparameter against the objective.

        Raises:
            RecordsError: The records are damaged.
        """
        return self._figure("slices")

    def _figure(self, name: FigureName) -> Figure:
        from orchestrator.analysis.report.figure import Figure

        return Figure.of(self.paths, name)

    def _repr_html_(self) -> str:
        from orchestrator.analysis.report.page import summary
        from orchestrator.analysis.summary.overview import objective_of, overview
        from orchestrator.analysis.summary.ranking import best_trials

        best = best_trials(self.paths, self.info, TOP)
        return summary(self.info, overview(self.paths), objective_of(self.info), best)
