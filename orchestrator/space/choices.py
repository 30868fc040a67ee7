"""Distributions over listed values: choice and grid."""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from orchestrator.formatting import count
from orchestrator.space.distribution import Distribution
from orchestrator.space.values import (
    Kind,
    Value,
    canonical_json,
    is_number,
    is_recordable,
    kind_of,
    mistake,
)
from orchestrator.suggestions import Allowed, did_you_mean


def _of_one_type(options: tuple[Any, ...]) -> tuple[Any, ...]:
    """Turn ints among floats into floats, so that the column has one type."""
    return tuple(map(float, options)) if kind_of(options) == "float" else options


_Options = Annotated[tuple[Value, ...], Strict(False), Field(min_length=1), AfterValidator(_of_one_type)]


_Weight = Annotated[float, Field(gt=0, le=1e9)]

RAREST = 1e-6
"""The least share of the draws that a value may have."""


class _Listed(Distribution):
    options: _Options

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(self.texts) < len(self.options):
            texts = [canonical_json(option) for option in self.options]
            twice = next(text for text in texts if texts.count(text) > 1)
            raise mistake(f"{twice} is listed twice", "each value once")
        return self

    @cached_property
    def kind(self) -> Kind:
        return kind_of(self.options)

    @cached_property
    def texts(self) -> frozenset[str]:
        """The options as canonical texts, for lookups: method list can lead to thousands of options."""
        return frozenset(map(canonical_json, self.options))

    @property
    def extent(self) -> tuple[float, float] | None:
        numbers = [float(option) for option in self.options if isinstance(option, int | float)]
        return (min(numbers), max(numbers)) if self.kind in ("int", "float") else None

    def from_unit(self, u: float) -> Any:
        return self.options[min(int(u * len(self.options)), len(self.options) - 1)]

    def to_unit(self, value: Any) -> float:
        return (self.place(value) + 0.5) / len(self.options)

    def place(self, value: Any) -> int:
        """The position of a value among the options."""
        seen = canonical_json(self.snap(value))
        return next(at for at, option in enumerate(self.options) if canonical_json(option) == seen)

    def values(self) -> tuple[Any, ...]:
        return self.options

    def contains(self, value: Any) -> bool:
        return is_recordable(value) and canonical_json(self.snap(value)) in self.texts

    def snap(self, value: Any) -> Any:
        return float(value) if self.kind == "float" and is_number(value) else value

    def allowed(self, seen: Any = None) -> Allowed:
        return did_you_mean(seen, self.options)


class Choice(_Listed):
    """One of the values; all equally likely unless they have weights."""

    form = "choice"
    options: _Options = Field(alias="choice", description="The values: words, numbers, true and false, or lists.")
    ordered: bool = Field(default=False, description="Whether the order of the values has a meaning.")
    weights: Annotated[tuple[_Weight, ...], Strict(False)] | None = Field(
        default=None, description="How likely each value is before there are results; 2 is twice as likely as 1."
    )

    @model_validator(mode="after")
    def _weighed(self) -> Self:
        if self.weights is None:
            return self
        if len(self.weights) != len(self.options):
            problem = f"{count(len(self.weights), 'weight')} for {count(len(self.options), 'value')}"
            raise mistake(problem, "weights: one number for each value")
        if min(self.weights) < RAREST * sum(self.weights):
            raise mistake(f"a value of weight {min(self.weights):g} would never be drawn", "leave the value out")
        return self

    @cached_property
    def edges(self) -> tuple[float, ...] | None:
        """Where in [0, 1) the intervals of the values but the first begin, if they have weights."""
        if self.weights is None:
            return None
        total = math.fsum(self.weights)
        return tuple(math.fsum(self.weights[:at]) / total for at in range(1, len(self.weights)))

    def from_unit(self, u: float) -> Any:
        return super().from_unit(u) if self.edges is None else self.options[bisect_right(self.edges, u)]

    def to_unit(self, value: Any) -> float:
        if self.edges is None:
            return super().to_unit(value)
        bounds = (0.0, *self.edges, 1.0)
        place = self.place(value)
        return (bounds[place] + bounds[place + 1]) / 2


class Grid(_Listed):
    """One of the values; method grid tries all of them, in this order."""

    form = "grid"
    options: _Options = Field(alias="grid", description="The values: words, numbers, true and false, or lists.")
