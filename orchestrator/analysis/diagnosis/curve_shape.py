"""The shape of a curve of losses: its trend, how much it fluctuates around it, where it was best, what its end brought.

Plain Python: at most a few hundred points, in a driver that has better to do than to load numpy for them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

WINDOW = 5
"""Points of the running median that is the trend; single spikes are not part of it (Tukey 1977, Exploratory Data
Analysis, chapter 7)."""

LAST = 2 / 3
"""From this share of the steps on it is the end of the training."""

_GAUSS = 0.6745 * 6**0.5


@dataclass(frozen=True)
class CurveShape:
    """Losses by step, all finite: less is better."""

    steps: Sequence[int]
    losses: Sequence[float]
    trend: Sequence[float]

    @classmethod
    def of(cls, steps: Sequence[int], losses: Sequence[float]) -> CurveShape:
        """Find the trend."""
        return cls(steps, losses, running_median(losses))

    @cached_property
    def start(self) -> float:
        """The trend at the first step."""
        return self.trend[0]

    @cached_property
    def end(self) -> float:
        """The median of the last three points: fewer than for the trend, or a steep curve would end above its end."""
        return median(self.losses[-3:])

    @cached_property
    def best(self) -> int:
        """The point where the trend was lowest; the first one of equals."""
        return min(range(len(self.trend)), key=self.trend.__getitem__)

    @cached_property
    def lowest(self) -> float:
        """The trend there."""
        return self.trend[self.best]

    @cached_property
    def span(self) -> float:
        """Between the highest and the lowest of the trend."""
        return max(self.trend) - self.lowest

    @cached_property
    def fluctuation(self) -> float:
        """The typical distance of a point from the trend, as a standard deviation.

        From the second differences of the points, in which a smooth trend leaves nothing (Gasser, Sroka and
        Jennen-Steinmetz 1986, Residual variance and residual pattern in nonlinear regression, section 2), by their
        median, so that neither single spikes nor the steep beginning count.
        """
        points = self.losses
        bends = [abs(a - 2 * b + c) for a, b, c in zip(points[:-2], points[1:-1], points[2:], strict=True)]
        return median(bends) / _GAUSS

    @cached_property
    def rises(self) -> float:
        """All that it rose from report to report, against all that it fell: 0 if it only fell, 1 if it got nowhere."""
        moves = [after - before for before, after in itertools.pairwise(self.losses)]
        fell = -sum(move for move in moves if move < 0)
        rose = sum(move for move in moves if move > 0)
        return rose / fell if fell > 0 else float(rose > 0)

    def at(self, share: float) -> int:
        """The first point that lies at or beyond this share of the steps."""
        where = self.steps[0] + share * (self.steps[-1] - self.steps[0])
        return next(index for index, step in enumerate(self.steps) if step >= where)

    def gained_since(self, index: int) -> float:
        """What of all that the curve fell came after a point, 0 to 1; below 0 if it rose since."""
        whole = self.start - self.lowest
        return (self.trend[index] - self.end) / whole if whole > 0 else 0.0

    def value_at(self, step: int) -> float:
        """The trend at the last point up to a step, or the first one."""
        return next((self.trend[i] for i in reversed(range(len(self.steps))) if self.steps[i] <= step), self.start)


def running_median(values: Sequence[float], window: int = WINDOW) -> list[float]:
    """The median of the values around each one; at the ends, of as many as there are on both sides."""
    half = window // 2
    last = len(values) - 1
    found = []
    for i in range(len(values)):
        reach = min(half, i, last - i)
        found.append(sorted(values[i - reach : i + reach + 1])[reach])
    return found
