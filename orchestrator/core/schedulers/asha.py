"""ASHA, the stopping variant: asynchronous successive halving without pausing.

Li et al., "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), section 3, with a stopping rule in
place of promotion, as in Syne Tune and Ray Tune: at each rung a trial continues if its value is among the best 1/eta of
all values that have entered the rung so far, its own included (Ray Tune leaves it out). The cutoff is the linearly
interpolated quantile.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Sequence

from orchestrator.core.schedulers import Decision, RungSummary


def default_grace_period(max_step: int, reduction_factor: int) -> int:
    """The default step of the first rung: 1/eta**3 of a full training, and never the first report.

    The ranks of first reports are noise: on the LCBench curves they do not correlate with the final ranks at all.
    """
    return min(max(2, max_step // reduction_factor**3), max(1, max_step - 1))


class Rung:
    """The values that entered one rung, and their running quantile.

    Values are losses: lower is better, infinity is a diverged trial. Two heaps split the values at position
    (n - 1) / eta from the best, which moves by at most one per value: O(log n) per value, without sorting.
    """

    __slots__ = ("_best", "_eta", "_rest", "diverged", "step", "stopped")

    def __init__(self, step: int, eta: int) -> None:
        self.step = step
        self.stopped = 0
        self.diverged = 0
        self._eta = eta
        self._best: list[float] = []  # heap of the best floor((n - 1) / eta) + 1, negated: their worst on top
        self._rest: list[float] = []  # heap of all others: their best on top

    def __len__(self) -> int:
        return len(self._best) + len(self._rest)

    def enter(self, loss: float) -> float:
        """Add a loss; returns the cutoff, computed with the new loss."""
        if loss == math.inf:
            self.diverged += 1
        worst_of_best = heapq.heappushpop(self._best, -loss)
        heapq.heappush(self._rest, -worst_of_best)
        if len(self._best) <= (len(self) - 1) // self._eta:
            heapq.heappush(self._best, -heapq.heappop(self._rest))
        return self.cutoff()

    def cutoff(self) -> float:
        """The 1/eta quantile of the losses; infinities count in the ranks, but are not interpolated with."""
        below = -self._best[0]
        fraction = (len(self) - 1) % self._eta / self._eta
        if not fraction or self._rest[0] == math.inf:
            return below
        return below + (self._rest[0] - below) * fraction


class Asha:
    """The scheduler `asha`.

    Args:
        mode: "min" or "max".
        grace_period: The first rung's step, >= 1.
        reduction_factor: eta, >= 2: of each rung the best 1/eta continue.
        max_step: The last step of a full training; rungs are at grace_period * eta**k below it.
        brackets: Bracket b starts at the rung grace_period * eta**b. A trial's bracket is drawn from (seed, trial), in
            proportion to the number of configurations that Hyperband starts in the bracket (Li et al. 2018,
            "Hyperband", algorithm 1).
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
        seed: int = 0,
    ) -> None:
        self._sign = 1.0 if mode == "min" else -1.0
        self._seed = seed
        self._eta = reduction_factor
        steps = []
        step = grace_period
        while step < max_step:
            steps.append(step)
            step *= reduction_factor
        count = max(1, min(brackets, len(steps)))
        self._brackets = [[Rung(step, reduction_factor) for step in steps[b:]] for b in range(count)]
        levels = len(steps) + 1
        self._weights = [reduction_factor ** (levels - b) / (levels - b) for b in range(count)]
        self._entered: dict[int, int] = {}  # trial -> how many rungs of its bracket it has entered

    def bracket(self, trial: int) -> int:
        """The bracket of a trial, drawn from (seed, trial)."""
        if len(self._brackets) == 1:
            return 0
        draw = random.Random(f"{self._seed}/{trial}/bracket")
        return draw.choices(range(len(self._brackets)), self._weights)[0]

    def rungs(self, trial: int) -> tuple[int, ...]:
        """The rungs of the trial's bracket."""
        return tuple(rung.step for rung in self._brackets[self.bracket(trial)])

    def report(self, trial: int, step: int, value: float) -> tuple[Decision, ...]:
        """One decision for each rung that the report reaches for the first time."""
        entered = self._entered.get(trial, 0)
        rungs = self._brackets[self.bracket(trial)]
        if entered == len(rungs) or step < rungs[entered].step:
            return ()
        return tuple(self._enter(trial, rung, value) for rung in rungs[entered:] if rung.step <= step)

    def diverge(self, trial: int) -> tuple[Decision, ...]:
        """Enter a diverged trial at its next rung, where it is stopped."""
        rungs = self._brackets[self.bracket(trial)][self._entered.get(trial, 0) :]
        return (self._enter(trial, rungs[0], self._sign * math.inf),) if rungs else ()

    def _enter(self, trial: int, rung: Rung, value: float) -> Decision:
        self._entered[trial] = self._entered.get(trial, 0) + 1
        loss = self._sign * value
        cutoff = rung.enter(loss)
        stop = loss > cutoff or loss == math.inf
        rung.stopped += stop
        return Decision(rung=rung.step, value=value, cutoff=self._sign * cutoff, stop=stop)

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
                entered=len(rung),
                stopped=rung.stopped,
                diverged=rung.diverged,
                cutoff=self._sign * rung.cutoff() if len(rung) else None,
            )
            for number, rungs in enumerate(self._brackets)
            for rung in rungs
        )
