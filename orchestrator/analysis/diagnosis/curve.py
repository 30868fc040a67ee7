"""A trial's curves as values: its training metric and its validation metric by step.

Long curves are thinned by a rule that depends only on the reports so far, so that following a running trial and reading
its records later give the same points.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from orchestrator.analysis.diagnosis.curve_metrics import CurveMetrics
from orchestrator.analysis.diagnosis.curve_shape import CurveShape

Mode = Literal["min", "max"]

POINTS = 512
"""Longer curves are thinned: every second point is dropped until the curve fits. The last point is kept."""

FEWEST = 8
"""The fewest reports from which a curve is classified. Set on churn, where trials that ASHA stopped at rungs 2 and 6
look the same, however similar trials ended that continued."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One metric by step, in ascending order of steps."""

    name: str
    mode: Mode
    steps: Sequence[int]
    values: Sequence[float]

    @cached_property
    def finite(self) -> bool:
        """Whether all values are finite."""
        return all(map(math.isfinite, self.values))

    @cached_property
    def shape(self) -> CurveShape | None:
        """The shape that the rules look at; None if there are too few values, or some are not finite."""
        if len(self.values) < FEWEST or not self.finite:
            return None
        losses = self.values if self.mode == "min" else [-value for value in self.values]
        return CurveShape.of(self.steps, losses)

    def value(self, loss: float) -> float:
        """A loss of the shape, converted back to a value of this metric."""
        return loss if self.mode == "min" else -loss

    def shown(self, loss: float) -> str:
        """The same as text."""
        return f"{self.value(loss):.4g}"


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The training and validation curve of one trial. Either may be missing."""

    train: Series | None = None
    validation: Series | None = None

    @property
    def reports(self) -> int:
        """Points of the longer curve."""
        return max((len(each.values) for each in (self.train, self.validation) if each is not None), default=0)

    @property
    def judged(self) -> Series | None:
        """The curve that shows whether the trial still improves: the validation curve, or else the training curve."""
        return self.validation if self.validation is not None else self.train


class GrowingCurve:
    """The curves of a trial while reports are added. Holds at most POINTS points of each."""

    __slots__ = ("_train", "_validation")

    def __init__(self) -> None:
        """Start without reports."""
        self._train = _Points()
        self._validation = _Points()

    def add(self, step: int, train: float | None, validation: float | None) -> None:
        """Add a report; None for a metric that it lacks."""
        if train is not None:
            self._train.add(step, train)
        if validation is not None:
            self._validation.add(step, validation)

    def curve(self, names: CurveMetrics) -> Curve:
        """The curves so far.

        Args:
            names: The metrics whose values were added.
        """
        return Curve(
            train=self._train.series(names.train, names.train_mode),
            validation=self._validation.series(names.validation, names.validation_mode),
        )


class _Points:
    """A thinned series: the points at multiples of a stride, which is a power of two, and the last point."""

    __slots__ = ("_count", "_last_step", "_last_value", "_mask", "_steps", "_values")

    def __init__(self) -> None:
        self._steps = array("q")
        self._values = array("d")
        self._mask = 0  # the stride minus one
        self._count = 0
        self._last_step = 0
        self._last_value = 0.0

    def add(self, step: int, value: float) -> None:
        self._last_step, self._last_value = step, value
        count = self._count
        self._count = count + 1
        if count & self._mask:
            return
        if len(self._values) == POINTS:
            self._steps, self._values = self._steps[::2], self._values[::2]
            self._mask = 2 * self._mask + 1
            if count & self._mask:
                return
        self._steps.append(step)
        self._values.append(value)

    def series(self, name: str, mode: Mode) -> Series | None:
        if not self._count:
            return None
        steps, values = self._steps.tolist(), self._values.tolist()
        if steps[-1] != self._last_step:
            steps.append(self._last_step)
            values.append(self._last_value)
        return Series(name=name, mode=mode, steps=steps, values=values)


def build_curve(names: CurveMetrics, reports: Iterable[tuple[int, float | None, float | None]]) -> Curve:
    """Build the curves from reports: the step, the training metric and the validation metric of each."""
    growing = GrowingCurve()
    for step, train, validation in reports:
        growing.add(step, train, validation)
    return growing.curve(names)
