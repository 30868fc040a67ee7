"""Distributions over listed values: choice and grid."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, Strict, model_validator

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
        seen = canonical_json(self.snap(value))
        place = next(at for at, option in enumerate(self.options) if canonical_json(option) == seen)
        return (place + 0.5) / len(self.options)

    def values(self) -> tuple[Any, ...]:
        return self.options

    def contains(self, value: Any) -> bool:
        return is_recordable(value) and canonical_json(self.snap(value)) in self.texts

    def snap(self, value: Any) -> Any:
        return float(value) if self.kind == "float" and is_number(value) else value

    def allowed(self, seen: Any = None) -> Allowed:
        return did_you_mean(seen, self.options)


class Choice(_Listed):
    """One of the values, all equally likely."""

    form = "choice"
    options: _Options = Field(alias="choice", description="The values: words, numbers, true and false, or lists.")
    ordered: bool = Field(default=False, description="Whether the order of the values has a meaning.")


class Grid(_Listed):
    """One of the values; method grid tries all of them, in this order."""

    form = "grid"
    options: _Options = Field(alias="grid", description="The values: words, numbers, true and false, or lists.")
