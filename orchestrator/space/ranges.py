"""Numbers between two bounds: uniform, loguniform, int and logint."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, Strict, model_validator

from orchestrator.space.distribution import Distribution, Floats, Numeric
from orchestrator.space.steps import Steps
from orchestrator.space.values import MAX_INT, Kind, is_number, mistake

MAX_STEPS = 10**9
"""More steps than this between two bounds are reported as a mistake."""

_Integer = Annotated[int, Field(ge=-MAX_INT, le=MAX_INT)]
_Integers = Annotated[tuple[_Integer, _Integer], Strict(False)]


class _Bounded(Distribution):
    log: ClassVar[bool] = False
    integer: ClassVar[bool] = False

    bounds: Floats
    step: float | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.bounds
        written = f"[{low:g}, {high:g}]"
        if not low < high:
            raise mistake(f"{written} is not a range", "[low, high] with low below high")
        if self.log and low <= 0:
            raise mistake(f"{written} has no logarithm at {low:g}", f"{self.form} needs low above 0")
        if self.step is not None:
            if (high - low) / self.step > MAX_STEPS:
                raise mistake(f"step {self.step:g} is too small for {written}", "leave it out for a continuous range")
            if not self.values():
                raise mistake(f"there is no multiple of step {self.step:g} in {written}", "a smaller step")
        return self

    @property
    def kind(self) -> Kind:
        return "int" if self.integer else "float"

    @property
    def numeric(self) -> Numeric:
        low, high = self.bounds
        return Numeric(low=low, high=high, log=self.log, step=self.step, integer=self.integer)

    @property
    def extent(self) -> tuple[float, float]:
        return self.bounds

    def from_unit(self, u: float) -> float:
        steps = self.values()
        if steps is not None and not self.log:
            return steps[min(int(u * len(steps)), len(steps) - 1)]
        return self.snap(self._scaled(u))

    def to_unit(self, value: float) -> float:
        steps = self.values()
        if steps is not None and not self.log:
            return (steps.index_near(value) + 0.5) / len(steps)
        start, end = self._ends()
        place = ((math.log(value) if self.log else value) - start) / (end - start)
        return min(max(place, 0.0), 1.0)

    def _scaled(self, u: float) -> float:
        start, end = self._ends()
        place = start + u * (end - start)
        return math.exp(place) if self.log else place

    def _ends(self) -> tuple[float, float]:
        """The bounds on the distribution's scale, linear or logarithmic."""
        low, high = self.bounds
        if not self.log:
            return low, high
        margin = 0.5 if self.integer else 0.0  # so that the lowest and the highest integer are as likely as the others
        return math.log(low - margin), math.log(high + margin)

    def values(self) -> Steps | None:
        step = self.step or (1 if self.integer else None)
        if step is None:
            return None
        spaced = Steps.multiples if self.log else Steps.counted_from
        return spaced(*self.bounds, step, integer=self.integer)

    def contains(self, value: Any) -> bool:
        if not is_number(value) or (self.integer and not isinstance(value, int)):
            return False
        low, high = self.bounds
        return low <= value <= high and math.isclose(
            value, self.snap(value), rel_tol=1e-9, abs_tol=1e-9 * (self.step or 0)
        )

    def snap(self, value: float) -> float:
        steps = self.values()
        if steps is not None:
            return steps.nearest(value)
        low, high = self.bounds
        return min(max(float(value), low), high)

    def allowed(self, seen: Any = None) -> str:
        low, high = self.bounds
        step = f" in steps of {self.step:g}" if self.step else ""
        return f"{'an integer' if self.integer else 'a number'} in [{low:g}, {high:g}]{step}"


_STEP = "Only low, low + step, low + 2 step, ... up to high."
_LOG_STEP = "Only multiples of step within the bounds."


class Uniform(_Bounded):
    """A float between low and high, uniformly distributed."""

    form = "uniform"
    bounds: Floats = Field(alias="uniform", description="[low, high]")
    step: float | None = Field(default=None, gt=0, description=_STEP)


class LogUniform(_Bounded):
    """A float between low and high, with a uniformly distributed logarithm."""

    form = "loguniform"
    log = True
    bounds: Floats = Field(alias="loguniform", description="[low, high], low above 0")
    step: float | None = Field(default=None, gt=0, description=_LOG_STEP)


class Int(_Bounded):
    """An integer from low to high, both included, uniformly distributed."""

    form = "int"
    integer = True
    bounds: _Integers = Field(alias="int", description="[low, high], both included")
    step: int | None = Field(default=None, ge=1, description=_STEP)


class LogInt(_Bounded):
    """An integer from low to high, both included, with a uniformly distributed logarithm."""

    form = "logint"
    log = True
    integer = True
    bounds: _Integers = Field(alias="logint", description="[low, high], both included, low above 0")
    step: int | None = Field(default=None, ge=1, description=_LOG_STEP)
