"""Turns the searched parameters into axes, with the bounds, log scales and orders of the space."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.analysis.report.data import Axis, Cell, Scale
from orchestrator.analysis.report.scales import scale
from orchestrator.space.distribution import Distribution

WORDS = 8
"""A choice with more numbers than this is drawn on a numeric axis instead of as categories."""


def axes(space: Mapping[str, Any], values: Mapping[str, Sequence[Any]]) -> tuple[Axis, ...]:
    """One axis per parameter.

    Args:
        space: The space section of the spec; empty for a list of configurations.
        values: Sampled values by parameter, one per trial; None where a trial lacks the parameter.
    """
    return tuple(_axis(name, _distribution(space.get(name)), given) for name, given in values.items())


def cell(axis: Axis, value: Any) -> Cell:
    """A value's position on its axis: a number or a category."""
    return float(value) if axis.scale is not None else word(value)


def word(value: Any) -> str:
    """A value of a choice as text."""
    match value:
        case str():
            return value
        case float():
            return f"{value:g}"
    return json.dumps(value, ensure_ascii=False)


def _distribution(plain: Any) -> Distribution | None:
    """The distribution in the spec; None if it is missing or cannot be parsed by this version."""
    from pydantic import TypeAdapter, ValidationError

    from orchestrator.space.distributions import AnyDistribution

    try:
        found: Distribution = TypeAdapter(AnyDistribution).validate_python(plain)
    except ValidationError:
        return None
    return found


def _axis(name: str, distribution: Distribution | None, given: Sequence[Any]) -> Axis:
    drawn = [value for value in given if value is not None]
    if distribution is None:
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in drawn):
            return Axis(name=name, scale=_around(drawn), integer=all(isinstance(value, int) for value in drawn))
        return Axis(name=name, words=tuple(dict.fromkeys(map(word, drawn))))
    numeric = distribution.numeric
    if numeric is not None:
        ends = Scale(low=numeric.low, high=numeric.high, log=numeric.log)
        return Axis(name=name, scale=ends, bounded=True, integer=numeric.integer, when=distribution.when)
    extent, options = distribution.extent, distribution.values()
    if options is None:  # a normal distribution
        return Axis(name=name, scale=_around(drawn, log=extent is not None and extent[0] > 0), when=distribution.when)
    if extent is not None and len(options) > WORDS:
        integer = distribution.kind == "int"
        return Axis(name=name, scale=_around(list(options)), bounded=True, integer=integer, when=distribution.when)
    return Axis(name=name, words=tuple(word(option) for option in options), when=distribution.when)


def _around(values: Sequence[float], *, log: bool | None = None) -> Scale:
    """A scale from the smallest to the largest value, with a margin."""
    found = scale(values) or Scale(low=0.1, high=1.0, log=False)
    if log is None or log == found.log:
        return found
    if not log or not values:
        return replace(found, log=log)
    return Scale(low=min(values) / 1.1, high=max(values) * 1.1, log=True)
