"""Whether trials report in the unit in which the length of a training is given: epochs in both, or iterations.

If they do not, a first report passes all rungs at once, or none is ever reached, and the scheduler decides nothing that
makes sense. Where rungs are at seconds, a first report can come so late that it passes several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.core.ladder import ladder
from orchestrator.core.rows import Config
from orchestrator.core.rung_unit import rung_name
from orchestrator.core.trial import Trial
from orchestrator.formatting import count, duration
from orchestrator.space.values import is_number
from orchestrator.spec import Spec
from orchestrator.spec.max_step import length_of
from trainables.declaration import Declaration

SHORT = 10
"""A training that ends by itself before a tenth of its length suggests another unit; some stop early by design."""


@dataclass(frozen=True, kw_only=True)
class FullTraining:
    """The length of a full training, by the spec."""

    steps: int  # of the longest
    length: str = ""  # the hyperparameter that says it, as in "epochs"; "": it is scheduler.max

    def of(self, config: Config) -> int:
        """The length with this configuration."""
        own: Any = config.get(self.length)
        return int(own) if is_number(own) and own >= 1 else self.steps


def full_training(spec: Spec, declaration: Declaration | None) -> FullTraining | None:
    """The length of a full training; None if there are no rungs that depend on it, or they are at seconds."""
    rungs = ladder(spec, declaration)
    if rungs is None or rungs.unit == "seconds":
        return None
    by_scheduler = spec.scheduler is not None and spec.scheduler.max is not None
    return FullTraining(steps=rungs.max_step, length="" if by_scheduler else length_of(declaration))


class StepUnit:
    """Compares the steps of reports with the length of a training. Says what is wrong once."""

    def __init__(self, full: FullTraining | None) -> None:
        """Begin. ``full``: the length of a training; None: nothing is compared."""
        self._full = full

    def reported(self, trial: Trial, step: int) -> str | None:
        """What is wrong with the step of a report that the trial has not taken yet; None if nothing is."""
        if self._full is None:
            return None
        steps, first = self._full.of(trial.config), trial.last_step is None
        if step <= steps + (not first):  # some count one step more in the end
            return None
        guess = f", {step * steps} if step {step} ends the first of {steps} {self._full.length}"
        seen = f"trial {trial.number} reports step {step}"
        return self._once(seen, steps, f"the last step{guess if first and self._full.length else ''}")

    def finished(self, trial: Trial) -> str | None:
        """What is wrong with the last step of a trial that has ended by itself; None if nothing is."""
        if self._full is None or trial.last_step is None:
            return None
        steps = self._full.of(trial.config)
        if trial.last_step * SHORT > steps:
            return None
        last = str(trial.last_step or "the last step")
        return self._once(f"trial {trial.number} ended by itself at step {trial.last_step}", steps, last)

    def _once(self, seen: str, steps: int, last: str) -> str:
        assert self._full is not None
        length, self._full = self._full.length, None
        return (
            f"{seen}, but a full training has {count(steps, 'step')} ({length or 'scheduler.max'}):"
            f" let step count {length or 'in the same unit'}, or set scheduler.max to {last}"
        )


class LateReports:
    """Compares the time of a trial's first report of the objective with rungs at seconds. Says what is wrong once."""

    def __init__(self) -> None:
        self._told = False

    def first(self, trial: Trial, train_s: float, rungs: Sequence[int]) -> str | None:
        """What is wrong with a report, which is the first that reaches a rung if the trial has entered none.

        Args:
            trial: The trial.
            train_s: Its seconds of training by then.
            rungs: Those that it has yet to enter.
        """
        passed = [rung for rung in rungs if rung <= train_s]
        if self._told or trial.rung is not None or len(passed) < 2:
            return None
        self._told = True
        first, last = (rung_name(rung, "seconds") for rung in (passed[0], passed[-1]))
        return (
            f"trial {trial.number} first reports {trial.objective.metric} after {duration(train_s)} of training, beyond"
            f" {len(passed)} rungs ({first} to {last}): report more often, or raise scheduler.grace_period"
        )
