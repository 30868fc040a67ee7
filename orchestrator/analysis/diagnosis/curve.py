"""A trial's curves as a value: the metric of the training data and that of the validation data, by step.

Long curves are thinned by a rule that needs no more than what came so far, so that whoever follows a running trial and
whoever reads its records look at the same points.
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
"""More points than this of a curve are thinned: every second one goes, as often as it takes. The last one stays."""

FEWEST = 8
"""Reports below which the shape of a curve says nothing. Set on churn: its trials that ASHA stopped at the rungs 2 and
6 look alike, whatever became of their like that went on."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One metric by step; steps grow."""

    name: str
    mode: Mode
    steps: Sequence[int]
    values: Sequence[float]

    @cached_property
    def finite(self) -> bool:
        """Whether all values are."""
        return all(map(math.isfinite, self.values))

    @cached_property
    def shape(self) -> CurveShape | None:
        """What the rules look at; None if the values are too few, or not all finite."""
        if len(self.values) < FEWEST or not self.finite:
            return None
        losses = self.values if self.mode == "min" else [-value for value in self.values]
        return CurveShape.of(self.steps, losses)

    def value(self, loss: float) -> float:
        """One of the shape's losses as this metric has it."""
        return loss if self.mode == "min" else -loss

    def shown(self, loss: float) -> str:
        """The same, to be read."""
        return f"{self.value(loss):.4g}"


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The curves of one trial. Either may be missing."""

    train: Series | None = None
    validation: Series | None = None

    @property
    def reports(self) -> int:
        """Points of the longer one."""
        return max((len(each.values) for each in (self.train, self.validation) if each is not None), default=0)

    @property
    def judged(self) -> Series | None:
        """By which one says whether it still gets better: the validation data's, if there is one."""
        return self.validation if self.validation is not None else self.train


class GrowingCurve:
    """The curves of a trial that still runs, or is being read. Holds POINTS points of each at most."""

    __slots__ = ("_train", "_validation")

    def __init__(self) -> None:
        """Nothing was reported yet."""
        self._train = _Points()
        self._validation = _Points()

    def add(self, step: int, train: float | None, validation: float | None) -> None:
        """A report; what it lacks is None."""
        if train is not None:
            self._train.add(step, train)
        if validation is not None:
            self._validation.add(step, validation)

    def curve(self, names: CurveMetrics) -> Curve:
        """As far as it has come.

        Args:
            names: The metrics that were added.
        """
        return Curve(
            train=self._train.series(names.train, names.train_mode),
            validation=self._validation.series(names.validation, names.validation_mode),
        )


class _Points:
    """Some of the points of a series: those at multiples of the stride, a power of two, and the last."""

    __slots__ = ("_count", "_last_step", "_last_value", "_mask", "_steps", "_values")

    def __init__(self) -> None:
        self._steps = array("q")
        self._values = array("d")
        self._mask = 0  # the stride less one
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
    """The curves of reports: the step, the training's and the validation's metric of each."""
    growing = GrowingCurve()
    for step, train, validation in reports:
        growing.add(step, train, validation)
    return growing.curve(names)
