"""Which checkpoints stay of a trial, and their removal as soon as it has ended."""

from __future__ import annotations

from orchestrator.core.rows import State, TrialRow
from orchestrator.core.sweep import Sweep
from orchestrator.records.paths import SweepPaths
from trainables.checkpoints.files import Keep, tidy


def to_keep(state: State, keep: Keep, *, is_best: bool) -> Keep:
    """What stays of a trial in that state.

    Of a completed one what the spec's trial.keep says, and of the best one, too, whatever its state; of any other that
    has come to an end, nothing. Of one that has not, or was cancelled, all that an attempt could go on from.
    """
    if not state.ended or state is State.CANCELLED:
        return "both"
    return keep if state is State.COMPLETED or is_best else "none"


class CheckpointRetention:
    """Follows a running sweep. A stopped trial that is the best keeps its checkpoints until another one is."""

    def __init__(self, sweep: Sweep, paths: SweepPaths, keep: Keep) -> None:
        self._sweep = sweep
        self._paths = paths
        self._keep = keep
        self._spared: int | None = None  # the best trial, if it is not completed

    def ended(self, row: TrialRow) -> None:
        """A trial has ended.

        Raises:
            OSError: Something cannot be removed.
        """
        best = self._sweep.best.number if self._sweep.best is not None else None
        spared = self._spared if self._spared == best else None
        if row.trial == best and row.state is State.STOPPED:
            spared = row.trial  # its worker is still writing
        else:
            tidy(self._paths.checkpoints(row.trial), to_keep(row.state, self._keep, is_best=row.trial == best))
        if self._spared is not None and spared != self._spared:
            tidy(self._paths.checkpoints(self._spared), "none")
        self._spared = spared

    def finish(self) -> None:
        """All trials and their workers have ended.

        Raises:
            OSError: Something cannot be removed.
        """
        if self._spared is not None:
            tidy(self._paths.checkpoints(self._spared), self._keep)
