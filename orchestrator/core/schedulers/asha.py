"""ASHA, the stopping variant: asynchronous successive halving without pausing.

Li et al., "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), section 3, with the stopping rule of
Ray Tune and Syne Tune in place of promotion: at each rung a trial goes on if its value is among the best 1/eta of
all that have come to the rung so far, itself included. The cutoff is the linearly interpolated quantile.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Sequence

from orchestrator.core.schedulers import Decision, RungSummary


def default_grace_period(max_step: int, reduction_factor: int) -> int:
    """Where the first rung lies if nobody says: a training is cut to eta**-3 of its length at most, and never at its
    first report, whose rank is about noise (on the LCBench curves it does not correlate with the final one at all).
    """
    return min(max(2, max_step // reduction_factor**3), max(1, max_step - 1))


class Rung:
    """The values that entered one rung, and their running quantile.

    Values are losses: lower is better, an infinite one has diverged. Two heaps split them at the position
    (n - 1) / eta from the best, which moves by at most one a value: O(log n) each, and no sorting.
    """

    __slots__ = ("_best", "_eta", "_rest", "diverged", "step", "stopped")

    def __init__(self, step: int, eta: int) -> None:
        self.step = step
        self.stopped = 0
        self.diverged = 0
        self._eta = eta
        self._best: list[float] = []  # the best floor((n - 1) / eta) + 1, negated: the worst of them on top
        self._rest: list[float] = []  # all others, the best of them on top

    def __len__(self) -> int:
        return len(self._best) + len(self._rest)

    def enter(self, loss: float) -> float:
        """Add a loss; return the cutoff, its own value included."""
        if loss == math.inf:
            self.diverged += 1
        worst_of_best = heapq.heappushpop(self._best, -loss)
        heapq.heappush(self._rest, -worst_of_best)
        if len(self._best) <= (len(self) - 1) // self._eta:
            heapq.heappush(self._best, -heapq.heappop(self._rest))
        return self.cutoff()

    def cutoff(self) -> float:
        """The quantile 1 / eta of the losses; infinities are ranked, and never interpolated with."""
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
        reduction_factor: eta, >= 2: of each rung the best 1/eta go on.
        max_step: The step of a full training; rungs lie at grace_period * eta**k below it.
        brackets: Bracket b starts at the rung grace_period * eta**b. A trial's bracket is drawn from (seed, trial),
            in proportion to the number of configurations that Hyperband gives it (Li et al. 2018, algorithm 1).
        seed: The sweep's.
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
        """Drawn from (seed, trial)."""
        if len(self._brackets) == 1:
            return 0
        draw = random.Random(f"{self._seed}/{trial}/bracket")
        return draw.choices(range(len(self._brackets)), self._weights)[0]

    def rungs(self, trial: int) -> tuple[int, ...]:
        """The rungs of the trial's bracket."""
        return tuple(rung.step for rung in self._brackets[self.bracket(trial)])

    def report(self, trial: int, step: int, value: float) -> tuple[Decision, ...]:
        """One decision for each rung the report reaches; several if it passes several."""
        entered = self._entered.get(trial, 0)
        rungs = self._brackets[self.bracket(trial)]
        if entered == len(rungs) or step < rungs[entered].step:
            return ()
        return tuple(self._enter(trial, rung, value) for rung in rungs[entered:] if rung.step <= step)

    def diverge(self, trial: int) -> tuple[Decision, ...]:
        """It competes at its next rung, and loses there."""
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
        """The quantile 1 / eta of them all, as synchronous halving takes it."""
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
