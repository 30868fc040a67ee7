"""Decides which checkpoints of a trial are kept, and removes the others as soon as the trial has ended."""

from __future__ import annotations

from orchestrator.core.rows import State, TrialRow
from orchestrator.core.sweep import Sweep
from orchestrator.records.paths import SweepPaths
from trainables.checkpoints.files import Keep, tidy


def to_keep(state: State, keep: Keep, *, is_best: bool) -> Keep:
    """Which checkpoints to keep of a trial in a state.

    Those of trial.keep, if the trial is completed or the best of the sweep; none of a trial that was stopped, failed or
    diverged; all of a trial that has not ended, paused ones included, or was cancelled, because another attempt may
    continue from them.
    """
    if not state.ended or state is State.CANCELLED:
        return "both"
    return keep if state is State.COMPLETED or is_best else "none"


class CheckpointRetention:
    """Removes checkpoints while a sweep runs. A stopped trial keeps its checkpoints as long as it is the best."""

    def __init__(self, sweep: Sweep, paths: SweepPaths, keep: Keep) -> None:
        self._sweep = sweep
        self._paths = paths
        self._keep = keep
        self._protected: int | None = None  # the best trial, if it is not completed

    def trial_ended(self, row: TrialRow) -> None:
        """Remove the checkpoints of an ended trial that need not be kept.

        Raises:
            OSError: A checkpoint cannot be removed.
        """
        best = self._sweep.best.number if self._sweep.best is not None else None
        protected = self._protected if self._protected == best else None
        if row.trial == best and row.state is State.STOPPED:
            protected = row.trial  # its worker is still writing
        else:
            tidy(self._paths.checkpoints(row.trial), to_keep(row.state, self._keep, is_best=row.trial == best))
        if self._protected is not None and protected != self._protected:
            tidy(self._paths.checkpoints(self._protected), "none")
        self._protected = protected

    def finish(self) -> None:
        """Remove the checkpoints of the best trial that need not be kept, after all trials and workers have ended.

        Raises:
            OSError: A checkpoint cannot be removed.
        """
        if self._protected is not None:
            tidy(self._paths.checkpoints(self._protected), self._keep)
