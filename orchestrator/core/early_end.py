"""Why a sweep ends before its last trial: a budget, a target, no gain for too long, or too many failures."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from orchestrator.core.limits import Limits
from orchestrator.core.patience import Patience
from orchestrator.core.rows import HALTED, State
from orchestrator.core.standings import Standings
from orchestrator.core.trial import Trial
from orchestrator.core.usage import Usage
from orchestrator.spec import Objective


class EarlyEnd:
    """Looks at what one sweep has used and found, and says in words why it ends now, if it does.

    Attributes:
        patience: Counts the trials since the last gain.
    """

    def __init__(
        self,
        *,
        limits: Limits,
        objective: Objective,
        usage: Usage,
        standings: Standings,
        trials: Sequence[Trial],
    ) -> None:
        """
        Args:
            limits: The bounds.
            objective: Says what is better.
            usage: What has been used.
            standings: The best trials.
            trials: All trials of the sweep; the sequence may grow.
        """
        self.patience = Patience(objective.mode, limits.min_gain)
        self._limits = limits
        self._objective = objective
        self._usage = usage
        self._standings = standings
        self._trials = trials

    def by_budget(self, at: float) -> str | None:
        """Which time is used up; None if none is."""
        return self._limits.used_up(self._usage.wall_s(at), self._usage.gpu_s)

    def by_results(self, live: Collection[int]) -> str | None:
        """Whether the best result has reached the target, or no gain came for too long; None if neither.

        Args:
            live: The trials that run. One that would be a gain if it ended now is waited for.
        """
        best, limits = self._standings.best, self._limits
        if best is not None and best.result is not None and self._objective.reaches(best.result, limits.target):
            found = f"trial {best.number} has {self._objective.metric} {best.result:.6g}"
            return f"the target of {limits.target:g} is reached: {found}"
        reason = limits.out_of_patience(self.patience.trials, self.patience.best)
        if reason is None or best is None or best.result is None or best.number not in live:
            return reason
        return None if self.patience.is_gain(best.result) else reason

    def by_failures(self) -> str | None:
        """Whether too many trials have failed; None if not."""
        failed = sum(trial.state is State.FAILED for trial in self._trials)
        return self._limits.too_many(failed, hopeful=any(trial.last is not None for trial in self._trials))

    def count(self, trial: Trial, state: State, value: float | None, decision: str | None) -> None:
        """Count a trial that paused or ended with this value, for patience. Trials that a resume continues do not."""
        if state is State.DIVERGED:
            self.patience.ended(trial.number, None)
        elif state is not State.FAILED and decision != HALTED and value is not None:
            self.patience.ended(trial.number, value)
