"""Ray Tune's AsyncHyperBandScheduler itself, asked for its decisions."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from orchestrator.core.schedulers import Action, Decision
from orchestrator.core.schedulers.asha import rung_steps
from orchestrator.core.schedulers.none import NoScheduler


class RayAsha(NoScheduler):
    """Ray's scheduler with one bracket, as a scheduler of the sweep. It tells no cutoffs."""

    def __init__(self, *, mode: str, max_step: int, grace_period: int, reduction_factor: int) -> None:
        from ray.tune.schedulers import AsyncHyperBandScheduler

        self._ray: Any = AsyncHyperBandScheduler(
            time_attr="step",
            metric="value",
            mode=mode,
            max_t=max_step,
            grace_period=grace_period,
            reduction_factor=reduction_factor,
        )
        self._rungs = tuple(rung_steps(grace_period, reduction_factor, max_step))
        self._trials: dict[int, Any] = {}

    def rungs(self, trial: int) -> tuple[int, ...]:
        """Ray's milestones, without that of the last step, at which every trial ends."""
        return self._rungs

    def report(self, trial: int, step: int, value: float, *, pausable: bool) -> tuple[Decision, ...]:
        """Ray's decision, if the step is a rung."""
        if step not in self._rungs:
            return ()
        if trial not in self._trials:
            self._trials[trial] = SimpleNamespace(trial_id=str(trial))
            self._ray.on_trial_add(None, self._trials[trial])
        answer = self._ray.on_trial_result(None, self._trials[trial], {"step": step, "value": value})
        action = Action.STOP if answer == "STOP" else Action.CONTINUE
        return (Decision(rung=step, value=value, cutoff=math.nan, action=action),)
