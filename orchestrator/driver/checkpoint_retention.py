"""Decides which checkpoints of a trial are kept, and removes the others as soon as nothing can bring them back."""

from __future__ import annotations

from orchestrator.core.rows import State, TrialRow
from orchestrator.core.sweep import Sweep
from orchestrator.records.paths import SweepPaths
from orchestrator.spec.keep_policy import KeepPolicy
from trainables.checkpoints.files import Keep, tidy


def to_keep(state: State, policy: KeepPolicy, *, leads: bool) -> Keep:
    """Which checkpoints to keep of a trial in a state.

    Those that the policy keeps, if the trial has completed, or was stopped and can still turn out the best, or is one
    of the best where only those are kept; else none of a trial that was stopped, failed or diverged; all of a trial
    that has not ended, paused ones included, or was cancelled, because another attempt may continue from them.
    """
    if not state.ended or state is State.CANCELLED:
        return "both"
    return policy.checkpoints if state.settled and (leads or not _by_rank(state, policy)) else "none"


def _by_rank(state: State, policy: KeepPolicy) -> bool:
    """Whether a trial keeps its checkpoints only as long as it leads."""
    return state is State.STOPPED or (state is State.COMPLETED and policy.top is not None)


class CheckpointRetention:
    """Removes checkpoints while a sweep runs.

    Of the stopped trials, those keep their checkpoints that lead all whose result stands: one, or as many as the policy
    keeps. Better ones that still train may diverge or, where the last report counts, become worse.
    """

    def __init__(self, sweep: Sweep, paths: SweepPaths, policy: KeepPolicy) -> None:
        self._sweep = sweep
        self._paths = paths
        self._policy = policy
        self._protected: set[int] | None = None  # trials that keep checkpoints as long as they lead; None: not known

    def trial_ended(self, row: TrialRow) -> None:
        """Remove the checkpoints of an ended trial that need not be kept, and those of trials that lead no longer.

        Raises:
            OSError: A checkpoint cannot be removed.
        """
        leaders = {trial.number for trial in self._sweep.standings.leaders}
        leads = row.trial in leaders
        before = self._before(row.trial) if self._protected is None else self._protected
        protected = before & leaders
        if leads and _by_rank(row.state, self._policy):
            protected.add(row.trial)
        if not leads or row.state is not State.STOPPED:  # else its worker is still writing
            tidy(self._paths.checkpoints(row.trial), to_keep(row.state, self._policy, leads=leads))
        for trial in before - protected:
            tidy(self._paths.checkpoints(trial), "none")
        self._protected = protected

    def _before(self, ended: int) -> set[int]:
        """The trials that an earlier session may have protected."""
        trials = (trial for trial in self._sweep.trials if trial.number != ended)
        return {trial.number for trial in trials if trial.state.ended and _by_rank(trial.state, self._policy)}

    def finish(self) -> None:
        """Remove what the spec does not keep of the trials that lead, after all trials and workers have ended.

        Raises:
            OSError: A checkpoint cannot be removed.
        """
        for trial in self._protected or ():
            tidy(self._paths.checkpoints(trial), self._policy.checkpoints)
