"""What is odd about the first reports of a sweep, said once, before the scheduler has cut many trials for it."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.rows import MetricRow, State
from orchestrator.core.rungs import Rungs
from orchestrator.core.step_unit import FullTraining, LateReports, StepUnit
from orchestrator.core.trial import Trial

SUSPICIOUS = 3
"""Reports of a trial without the objective before a note says so, if no trial has reported the objective yet."""


class FirstReports:
    """Looks at the reports of one sweep; each method returns what is odd, in words, or None."""

    def __init__(self, *, full_training: FullTraining | None, rungs: Rungs, trials: Sequence[Trial]) -> None:
        """
        Args:
            full_training: The length of a training; None: steps are compared with nothing.
            rungs: Those that trials reach.
            trials: All trials of the sweep; the sequence may grow.
        """
        self._step_unit = StepUnit(full_training)
        self._late = LateReports()
        self._rungs = rungs
        self._trials = trials
        self._suspected = False  # whether the name of the objective was checked

    def at_step(self, trial: Trial, step: int) -> str | None:
        """A report at a step, which the trial has not taken yet: it may count in another unit than the length."""
        return self._step_unit.reported(trial, step)

    def with_objective(self, trial: Trial, row: MetricRow) -> str | None:
        """A report of the objective: the first may come after several rungs at seconds."""
        if self._rungs.unit != "seconds":
            return None
        return self._late.first(trial, row.train_s, self._rungs.ahead(trial))

    def without_objective(self, trial: Trial) -> str | None:
        """A report without the objective: the trainable validates rarely, or the objective is misspelt."""
        trial.unmeasured += 1
        if trial.unmeasured != SUSPICIOUS or self._suspected:
            return None
        self._suspected = True
        if any(other.last is not None or other.state is State.DIVERGED for other in self._trials):
            return None
        return f"the first {SUSPICIOUS} reports of trial {trial.number} had no {trial.reported_instead()}"

    def at_end(self, trial: Trial) -> str | None:
        """A trial that has ended by itself: it may have counted in another unit than the length."""
        return self._step_unit.finished(trial)
