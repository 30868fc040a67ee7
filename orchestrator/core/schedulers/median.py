"""The median rule: a trial is stopped if its best value so far is worse than the median of the others' averages so far.

Golovin et al., "Google Vizier: A Service for Black-Box Optimization" (KDD 2017), section 3.2.1. As in Ray Tune, the
others are all trials that have come as far, not only completed ones. Values count at some twenty steps of a training,
where the decisions are due: each decision costs the trial a round trip to the driver.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence

from orchestrator.core.schedulers import Action, Decision, RungSummary
from orchestrator.core.schedulers.never_pauses import NeverPauses

LOOKS = 20
"""Decisions in a full training, about."""

FEWEST = 3
"""A trial is stopped only if at least this many others have come as far."""


class Median(NeverPauses):
    """The scheduler `median`.

    Args:
        mode: "min" or "max".
        grace_period: The first step at which a trial is judged, >= 1.
        max_step: The last step of a full training.
    """

    def __init__(self, *, mode: str, grace_period: int, max_step: int) -> None:
        self._sign = 1.0 if mode == "min" else -1.0
        self._steps = tuple(range(grace_period, max_step, max(1, max_step // LOOKS)))
        self._averages: dict[int, list[float]] = {step: [] for step in self._steps}  # ascending
        self._stopped = dict.fromkeys(self._steps, 0)
        self._diverged = dict.fromkeys(self._steps, 0)
        self._losses: dict[int, list[float]] = {}  # by trial, one a step entered

    def rungs(self, trial: int) -> tuple[int, ...]:
        """The steps at which trials are judged."""
        return self._steps

    def report(self, trial: int, step: int, value: float, *, pausable: bool) -> tuple[Decision, ...]:
        """One decision for each step of judgement that the report reaches, until one stops the trial."""
        decisions: list[Decision] = []
        for due in self._due(trial):
            if due > step or (decisions and decisions[-1].action is Action.STOP):
                break
            decisions.append(self._judge(trial, due, value))
        return tuple(decisions)

    def diverge(self, trial: int) -> tuple[Decision, ...]:
        """Enter a diverged trial at its next step of judgement, where it is stopped."""
        due = self._due(trial)
        return (self._judge(trial, due[0], self._sign * math.inf),) if due else ()

    def restore(self, trial: int, decision: Decision) -> None:
        """Enter the trial again."""
        if decision.rung in self._averages:
            self._enter(trial, decision.rung, self._sign * decision.value, decision.action)

    def _due(self, trial: int) -> tuple[int, ...]:
        return self._steps[len(self._losses.get(trial, ())) :]

    def _judge(self, trial: int, step: int, value: float) -> Decision:
        loss = self._sign * value
        others = self._averages[step]
        cutoff = _median(others) if others else loss
        best = min([loss, *self._losses.get(trial, ())])
        stops = loss == math.inf or (len(others) >= FEWEST and best > cutoff)
        action = Action.STOP if stops else Action.CONTINUE
        self._enter(trial, step, loss, action)
        return Decision(rung=step, value=value, cutoff=self._sign * cutoff, action=action)

    def _enter(self, trial: int, step: int, loss: float, action: Action) -> None:
        losses = self._losses.setdefault(trial, [])
        losses.append(loss)
        bisect.insort(self._averages[step], sum(losses) / len(losses))
        self._stopped[step] += action in (Action.STOP, Action.AUDIT)
        self._diverged[step] += loss == math.inf

    def cutoff_among(self, values: Sequence[float]) -> float | None:
        """The median."""
        losses = sorted(self._sign * value for value in values)
        return self._sign * _median(losses) if losses else None

    def table(self) -> tuple[RungSummary, ...]:
        """The steps of judgement that a trial has reached."""
        return tuple(
            RungSummary(
                bracket=0,
                rung=step,
                entered=len(averages),
                stopped=self._stopped[step],
                diverged=self._diverged[step],
                cutoff=self._sign * _median(averages) if averages else None,
            )
            for step, averages in self._averages.items()
        )


def _median(ascending: Sequence[float]) -> float:
    """The middle value; the lower of two, so that it is finite if half of the values are."""
    return ascending[(len(ascending) - 1) // 2]
