"""ASHA, asynchronous successive halving: of the trials that reach a rung, the best 1/eta go on.

Li et al., "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020). The variants:

- promote, algorithm 2 there: a trial pauses at a rung, and continues once it is among the best floor(n / eta) of the n
  trials that have entered; a trial that is among them at once does not pause. Not many more than floor(n / eta)
  continue, even if each is better than the last. When no new trials come, ceil(n / eta) do, so that a small sweep, too,
  trains its best to the end.
- stop, where pausing would lose the training so far: at the rung, a trial continues or ends (``stop_rule``).
- auto: promote where the trial's state is saved, else stop.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Literal

from orchestrator.core.schedulers import Action, Decision, RungSummary
from orchestrator.core.schedulers.rung import Rung

Variant = Literal["stop", "promote", "auto"]

LATE = 4
"""Rungs that patient explorers skip: by default their first one is at 16/27 of a full training."""


def default_grace_period(max_step: int, reduction_factor: int) -> int:
    """The default step of the first rung: 1/eta**3 of a full training, and never the first report.

    The ranks of first reports are noise: on the LCBench curves they do not correlate with the final ranks at all.
    """
    return min(max(2, max_step // reduction_factor**3), max(1, max_step - 1))


def rung_steps(grace_period: int, reduction_factor: int, max_step: int) -> list[int]:
    """The steps grace_period * eta**k below the last step."""
    steps = []
    step = grace_period
    while step < max_step:
        steps.append(step)
        step *= reduction_factor
    return steps


class Asha:
    """The scheduler `asha`.

    Args:
        mode: "min" or "max".
        grace_period: The first rung's step, >= 1.
        reduction_factor: eta, >= 2: of each rung the best 1/eta continue.
        max_step: The last step of a full training; rungs are at grace_period * eta**k below it.
        brackets: Bracket b starts at the rung grace_period * eta**b; one more than there are rungs is a bracket
            without rungs. A trial's bracket is drawn from (seed, trial), in proportion to the number of configurations
            that Hyperband starts in the bracket (Li et al. 2018, "Hyperband", algorithm 1).
        variant: "stop", "promote" or "auto".
        apart: The bracket of a trial, in place of a draw: 0; 1, with the same rungs; or 2, without the first ``LATE``.
            Trials that explore would lose every comparison with trials near the best.
        seed: The seed of the sweep.
    """

    def __init__(
        self,
        *,
        mode: str,
        grace_period: int,
        reduction_factor: int,
        max_step: int,
        brackets: int = 1,
        variant: Variant = "auto",
        apart: Callable[[int], int] | None = None,
        seed: int = 0,
    ) -> None:
        self._sign = 1.0 if mode == "min" else -1.0
        self._seed = seed
        self._eta = reduction_factor
        self._variant = variant
        steps = rung_steps(grace_period, reduction_factor, max_step)
        levels = len(steps) + 1
        self._apart = apart
        drawn = range(max(1, min(brackets, levels)))
        starts = drawn if apart is None else (0, 0, LATE)
        self._brackets = [[Rung(step, reduction_factor) for step in steps[start:]] for start in starts]
        self._weights = [reduction_factor ** (levels - start) / (levels - start) for start in drawn]
        self._entered: dict[int, int] = {}  # trial -> how many rungs of its bracket it has entered
        self._highest_first = sorted(
            ((rung, level) for rungs in self._brackets for level, rung in enumerate(rungs)),
            key=lambda each: -each[0].step,
        )

    @property
    def pauses(self) -> bool:
        """Whether the variant pauses trials."""
        return self._variant != "stop"

    def bracket(self, trial: int) -> int:
        """The bracket of a trial, a function of (seed, trial)."""
        if len(self._brackets) == 1:
            return 0
        if self._apart is not None:
            return self._apart(trial)
        draw = random.Random(f"{self._seed}/{trial}/bracket")
        return draw.choices(range(len(self._brackets)), self._weights)[0]

    def rungs(self, trial: int) -> tuple[int, ...]:
        """The rungs of the trial's bracket."""
        return tuple(rung.step for rung in self._brackets[self.bracket(trial)])

    # What happens at a rung --------------------------------------------------------------------------------------

    def report(self, trial: int, step: int, value: float, *, pausable: bool) -> tuple[Decision, ...]:
        """One decision for each rung that the report reaches for the first time, until one ends or pauses the trial."""
        entered = self._entered.get(trial, 0)
        rungs = self._brackets[self.bracket(trial)]
        decisions: list[Decision] = []
        while entered < len(rungs) and rungs[entered].step <= step:
            decisions.append(self._enter(trial, rungs[entered], value, pausable=pausable))
            if decisions[-1].action is not Action.CONTINUE:
                break
            entered += 1
        return tuple(decisions)

    def _enter(self, trial: int, rung: Rung, value: float, *, pausable: bool) -> Decision:
        loss = self._sign * value
        cutoff = rung.enter(loss)
        if self._variant == "promote" or (self._variant == "auto" and pausable):
            action = Action.CONTINUE if self._continues(rung, loss) else Action.PAUSE
        else:
            action = Action.CONTINUE if rung.survives(loss) else Action.STOP
        decision = Decision(rung=rung.step, value=value, cutoff=self._sign * cutoff, action=action)
        self._take(trial, rung, decision)
        return decision

    def _continues(self, rung: Rung, loss: float) -> bool:
        return rung.promotes(loss)

    def diverge(self, trial: int) -> tuple[Decision, ...]:
        """Enter a diverged trial at its next rung, where it is stopped, and give back its places at earlier ones."""
        all_rungs, entered = self._brackets[self.bracket(trial)], self._entered.get(trial, 0)
        for rung in all_rungs[:entered]:
            rung.lose()
        rungs = all_rungs[entered:]
        if not rungs:
            return ()
        cutoff = rungs[0].enter(math.inf)
        value = self._sign * math.inf
        decision = Decision(rung=rungs[0].step, value=value, cutoff=self._sign * cutoff, action=Action.STOP)
        self._take(trial, rungs[0], decision)
        return (decision,)

    def restore(self, trial: int, decision: Decision) -> None:
        """Enter a rung again with the decision that was made; a rung that no longer exists is left out."""
        rungs = self._brackets[self.bracket(trial)]
        entered = self._entered.get(trial, 0)
        while entered < len(rungs) and rungs[entered].step < decision.rung:
            entered += 1
        if entered < len(rungs) and rungs[entered].step == decision.rung:
            self._entered[trial] = entered
            rungs[entered].enter(self._sign * decision.value)
            self._take(trial, rungs[entered], decision)

    def _take(self, trial: int, rung: Rung, decision: Decision) -> None:
        self._entered[trial] = self._entered.get(trial, 0) + 1
        loss = self._sign * decision.value
        match decision.action:
            case Action.CONTINUE:
                rung.go_on(loss)
            case Action.PAUSE:
                rung.pause(trial, loss)
            case Action.STOP | Action.AUDIT:
                rung.stopped += 1

    # Paused trials -----------------------------------------------------------------------------------------------

    def next_promotion(self, *, closing: bool) -> int | None:
        """The best trial of the highest rung that has a trial to promote."""
        for rung, _ in self._highest_first:
            if rung.paused and (trial := rung.promotable(closing=closing)) is not None:
                return trial
        return None

    def promote(self, trial: int) -> None:
        """Let the trial go on from the rung where it waits."""
        rung = self._rung_of(trial)
        rung.go_on(rung.leave(trial))

    def next_surplus(self) -> int | None:
        """The worst trial of a rung where too many wait."""
        return next((trial for rung, _ in self._highest_first if (trial := rung.surplus()) is not None), None)

    def release(self, trial: int) -> None:
        """Stop the trial at the rung where it waits."""
        rung = self._rung_of(trial)
        rung.leave(trial)
        rung.stopped += 1

    def _rung_of(self, trial: int) -> Rung:
        return self._brackets[self.bracket(trial)][self._entered[trial] - 1]

    # What is shown -----------------------------------------------------------------------------------------------

    def cutoff_among(self, values: Sequence[float]) -> float | None:
        """The 1/eta quantile of all values, as in synchronous successive halving (algorithm 1)."""
        rung = Rung(step=0, eta=self._eta)
        for value in values:
            rung.enter(self._sign * value)
        return self._sign * rung.cutoff() if values else None

    def table(self) -> tuple[RungSummary, ...]:
        """All rungs, by bracket and step."""
        return tuple(
            RungSummary(
                bracket=number,
                rung=rung.step,
                entered=rung.entered,
                stopped=rung.stopped,
                diverged=rung.diverged,
                cutoff=self._sign * rung.cutoff() if rung.entered else None,
                paused=rung.paused,
            )
            for number, rungs in enumerate(self._brackets)
            for rung in rungs
        )
