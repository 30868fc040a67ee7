"""Values that are written out: choice and grid."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, Strict, model_validator

from orchestrator.spec.distribution import Distribution
from orchestrator.spec.nearest import did_you_mean
from orchestrator.spec.values import (
    Kind,
    Value,
    canonical_json,
    is_number,
    is_recordable,
    kind_of,
    mistake,
    shown,
)

_Options = Annotated[tuple[Value, ...], Strict(False), Field(min_length=1)]


class _Listed(Distribution):
    options: _Options

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        seen = set()
        for option in self.options:
            text = self._canonical(option)
            if text in seen:
                raise mistake(f"{shown(option)} stands there twice", "each value once")
            seen.add(text)
        return self

    @property
    def kind(self) -> Kind:
        return kind_of(self.options)

    @property
    def extent(self) -> tuple[float, float] | None:
        numbers = [float(option) for option in self.options if isinstance(option, int | float)]
        return (min(numbers), max(numbers)) if self.kind in ("int", "float") else None

    def from_unit(self, u: float) -> Any:
        return self.values()[min(int(u * len(self.options)), len(self.options) - 1)]

    def values(self) -> tuple[Any, ...]:
        return tuple(float(option) for option in self.options) if self.kind == "float" else self.options

    def contains(self, value: Any) -> bool:
        return is_recordable(value) and self._canonical(value) in map(self._canonical, self.options)

    def snap(self, value: Any) -> Any:
        return float(value) if self.kind == "float" else value

    def allowed(self, seen: Any = None) -> str:
        return did_you_mean(seen, self.options)

    def _canonical(self, value: Any) -> str:
        return canonical_json(float(value) if self.kind == "float" and is_number(value) else value)


class Choice(_Listed):
    """One of the values, each as likely."""

    form = "choice"
    options: _Options = Field(
        alias="choice", description="The values: words, numbers, true and false, or lists."
    )
    ordered: bool = Field(default=False, description="Whether the values stand in a meaningful order.")


class Grid(_Listed):
    """One of the values; grid search takes them all, in this order."""

    form = "grid"
    options: _Options = Field(
        alias="grid", description="The values: words, numbers, true and false, or lists."
    )
