"""Finds parameters that no configuration has, because the condition in their ``when`` never holds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from orchestrator.expressions.expression import EvaluationError, Expression
from orchestrator.expressions.possible import Bounds, possible
from orchestrator.formatting import shown
from orchestrator.space.space import Space

MOST = 10_000
"""Combinations of values that are tried one by one; for more, and for ranges, bounds decide."""


def never_active(space: Space) -> Iterator[tuple[str, str]]:
    """The names of such parameters, each with a sentence. Those that only depend on one of them are left out.

    Nothing is said of a condition that may hold: values that depend on each other are taken as if they did not, unless
    all of them are choices.
    """
    never: set[str] = set()
    for name in space.order:
        if name not in space.conditions or (space.conditions[name].names & never):
            never |= {name} if name in space.conditions else set()
            continue
        conditions = _needed(space, name)
        if not _may_hold(space, conditions):
            never.add(name)
            condition = space.conditions[name]
            values = ", ".join(_values_of(space, each) for each in sorted(condition.names))
            yield name, f"no trial has {name}: {condition.text!r} never holds" + (f" ({values})" if values else "")


def _needed(space: Space, name: str) -> list[Expression]:
    """The conditions that hold wherever a parameter is active: its own, and those of what that names."""
    found: dict[str, Expression] = {}
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each in space.conditions and each not in found:
            found[each] = space.conditions[each]
            waiting += space.conditions[each].names
    return list(found.values())


def _may_hold(space: Space, conditions: Sequence[Expression]) -> bool:
    names = sorted({name for condition in conditions for name in condition.names})
    values = [_values(space, name) for name in names]
    if all(each is not None for each in values) and math.prod(len(each or ()) for each in values) <= MOST:
        combinations = (dict(zip(names, each, strict=True)) for each in itertools.product(*(v or () for v in values)))
        return any(_holds(conditions, combination) for combination in combinations)
    bounds = {name: each for name in names if (each := _bounds(space, name)) is not None}
    return all(possible(condition, bounds).true for condition in conditions)


def _holds(conditions: Sequence[Expression], values: dict[str, Any]) -> bool:
    try:
        return all(condition.evaluate(values) for condition in conditions)
    except EvaluationError:  # which is a mistake of its own, if it can happen
        return True


def _values(space: Space, name: str) -> Sequence[Any] | None:
    return (space.fixed[name],) if name not in space.parameters else space.parameters[name].values()


def _bounds(space: Space, name: str) -> Bounds | None:
    if name in space.parameters:
        extent = space.parameters[name].extent
        return None if extent is None else Bounds(low=extent[0], high=extent[1])
    value = space.fixed[name]
    return Bounds(low=value, high=value) if isinstance(value, int | float) else None


def _values_of(space: Space, name: str) -> str:
    if name not in space.parameters:
        return f"{name} is fixed at {shown(space.fixed[name])}"
    return f"{name}: {space.parameters[name].allowed()}"
