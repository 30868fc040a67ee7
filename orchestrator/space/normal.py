"""Unbounded floats around a mean: normal and lognormal."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any, Self

from pydantic import Field, model_validator

from orchestrator.space.distribution import Distribution, Floats
from orchestrator.space.steps import nearest_multiple
from orchestrator.space.values import Kind, is_number, mistake


class _Unbounded(Distribution):
    mean_sd: Floats
    step: float | None = Field(default=None, gt=0, description="Round to multiples of step.")

    @model_validator(mode="after")
    def _spread(self) -> Self:
        if self.mean_sd[1] <= 0:
            raise mistake(f"the standard deviation {self.mean_sd[1]:g} is out of range", "[mean, sd] with sd above 0")
        return self

    @property
    def kind(self) -> Kind:
        return "float"

    def _normal(self, u: float) -> float:
        tiny = 2.0**-53  # inv_cdf is infinite at 0 and 1
        return NormalDist(*self.mean_sd).inv_cdf(min(max(u, tiny), 1 - tiny))

    def to_unit(self, value: float) -> float:
        return NormalDist(*self.mean_sd).cdf(value)

    def values(self) -> None:
        return None

    def contains(self, value: Any) -> bool:
        if not is_number(value):
            return False
        return math.isclose(value, self.snap(value), rel_tol=1e-9, abs_tol=1e-9 * (self.step or 0))

    def snap(self, value: float) -> float:
        return float(value) if self.step is None else nearest_multiple(value, self.step)

    def allowed(self, seen: Any = None) -> str:
        return "a number" + (f" in steps of {self.step:g}" if self.step else "")


class Normal(_Unbounded):
    """An unbounded float around the mean."""

    form = "normal"
    mean_sd: Floats = Field(alias="normal", description="[mean, standard deviation]")

    @property
    def extent(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def from_unit(self, u: float) -> float:
        return self.snap(self._normal(u))


class LogNormal(_Unbounded):
    """A positive float whose logarithm is normally distributed."""

    form = "lognormal"
    mean_sd: Floats = Field(alias="lognormal", description="[mean, standard deviation] of the logarithm")

    @model_validator(mode="after")
    def _representable(self) -> Self:
        mean, sd = self.mean_sd
        if abs(mean) + 9 * sd > 700:
            raise mistake(f"[{mean:g}, {sd:g}] exceeds the range of floats", "of the logarithm, as in [-7, 2]")
        return self

    @property
    def extent(self) -> tuple[float, float]:
        return (self.step or 5e-324), math.inf

    def from_unit(self, u: float) -> float:
        return self.snap(math.exp(self._normal(u)))

    def to_unit(self, value: float) -> float:
        return super().to_unit(math.log(value))

    def contains(self, value: Any) -> bool:
        return super().contains(value) and value > 0

    def snap(self, value: float) -> float:
        return max(super().snap(value), self.step or 0.0)
