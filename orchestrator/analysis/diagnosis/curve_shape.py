"""The shape of a loss curve: its trend, its fluctuation around the trend, its best point, and the gain at its end.

Plain Python, because a curve has a few hundred points at most and the driver should not have to load numpy.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

WINDOW = 5
"""Window of the running median that is the trend; it ignores single spikes (Tukey 1977, Exploratory Data Analysis,
chapter 7)."""

LAST = 2 / 3
"""The last part of the training starts at this share of the steps."""

_GAUSS = 0.6745 * 6**0.5


@dataclass(frozen=True)
class CurveShape:
    """Losses by step, all finite; lower is better."""

    steps: Sequence[int]
    losses: Sequence[float]
    trend: Sequence[float]

    @classmethod
    def of(cls, steps: Sequence[int], losses: Sequence[float]) -> CurveShape:
        """Compute the trend of the losses."""
        return cls(steps, losses, running_median(losses))

    @cached_property
    def start(self) -> float:
        """The trend at the first step."""
        return self.trend[0]

    @cached_property
    def end(self) -> float:
        """The median of the last three points; the longer window of the trend would miss the end of a steep curve."""
        return median(self.losses[-3:])

    @cached_property
    def best(self) -> int:
        """The index of the lowest point of the trend; the first, if several are equal."""
        return min(range(len(self.trend)), key=self.trend.__getitem__)

    @cached_property
    def lowest(self) -> float:
        """The lowest value of the trend."""
        return self.trend[self.best]

    @cached_property
    def span(self) -> float:
        """The difference between the highest and the lowest value of the trend."""
        return max(self.trend) - self.lowest

    @cached_property
    def fluctuation(self) -> float:
        """The typical distance of a point from the trend, as a standard deviation.

        Estimated from second differences, which a smooth trend does not affect (Gasser, Sroka and Jennen-Steinmetz
        1986, Residual variance and residual pattern in nonlinear regression, section 2). Their median is used, so that
        neither single spikes nor a steep start count.
        """
        points = self.losses
        bends = [abs(a - 2 * b + c) for a, b, c in zip(points[:-2], points[1:-1], points[2:], strict=True)]
        return median(bends) / _GAUSS

    @cached_property
    def rises(self) -> float:
        """The sum of all rises over the sum of all falls: 0 if the loss only fell, 1 if it made no progress."""
        moves = [after - before for before, after in itertools.pairwise(self.losses)]
        fell = -sum(move for move in moves if move < 0)
        rose = sum(move for move in moves if move > 0)
        return rose / fell if fell > 0 else float(rose > 0)

    def at(self, share: float) -> int:
        """The index of the first point at or after this share of the steps."""
        where = self.steps[0] + share * (self.steps[-1] - self.steps[0])
        return next(index for index, step in enumerate(self.steps) if step >= where)

    def gained_since(self, index: int) -> float:
        """The share of the total gain that came after a point, 0 to 1; negative if the loss rose since."""
        whole = self.start - self.lowest
        return (self.trend[index] - self.end) / whole if whole > 0 else 0.0

    def value_at(self, step: int) -> float:
        """The trend at the last point up to a step, or at the first point."""
        return next((self.trend[i] for i in reversed(range(len(self.steps))) if self.steps[i] <= step), self.start)


def running_median(values: Sequence[float], window: int = WINDOW) -> list[float]:
    """The median of the values around each point; the window shrinks symmetrically at the ends."""
    half = window // 2
    last = len(values) - 1
    found = []
    for i in range(len(values)):
        reach = min(half, i, last - i)
        found.append(sorted(values[i - reach : i + reach + 1])[reach])
    return found
