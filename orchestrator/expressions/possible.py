"""Whether a condition can hold, and whether it can fail, by the bounds of its values: at times unsure, never wrong."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.expressions.expression import Expression


class Possible(NamedTuple):
    """What a condition can be."""

    true: bool
    false: bool


UNSURE = Possible(True, True)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Between which numbers a value lies."""

    low: float
    high: float


def possible(expression: Expression, bounds: Mapping[str, Bounds]) -> Possible:
    """What a condition can be, for values within bounds that may depend on each other. A name without bounds may be
    anything."""
    return _condition(expression.tree, bounds)


def _condition(node: ast.expr, bounds: Mapping[str, Bounds]) -> Possible:
    match node:
        case ast.Constant(value=bool(value)):
            return Possible(value, not value)
        case ast.BoolOp(op=ast.And(), values=parts):
            each = [_condition(part, bounds) for part in parts]
            return Possible(all(part.true for part in each), any(part.false for part in each))
        case ast.BoolOp(values=parts):
            each = [_condition(part, bounds) for part in parts]
            return Possible(any(part.true for part in each), all(part.false for part in each))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _condition(operand, bounds)
            return Possible(inner.false, inner.true)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            sides = [left, *comparators]
            links = [_comparison(op, sides[at], sides[at + 1], bounds) for at, op in enumerate(ops)]
            return Possible(all(link.true for link in links), any(link.false for link in links))
    return UNSURE


def _comparison(op: ast.cmpop, left: ast.expr, right: ast.expr, bounds: Mapping[str, Bounds]) -> Possible:
    one = _bounds(left, bounds)
    if one is None:
        return UNSURE
    if isinstance(op, ast.In | ast.NotIn):
        options = right.elts if isinstance(right, ast.List | ast.Tuple) else []
        each = [UNSURE if (other := _bounds(option, bounds)) is None else _equal(one, other) for option in options]
        found = Possible(any(part.true for part in each), all(part.false for part in each))
        return found if isinstance(op, ast.In) else Possible(found.false, found.true)
    other = _bounds(right, bounds)
    if other is None:
        return UNSURE
    match op:
        case ast.Lt():
            return Possible(one.low < other.high, one.high >= other.low)
        case ast.LtE():
            return Possible(one.low <= other.high, one.high > other.low)
        case ast.Gt():
            return Possible(one.high > other.low, one.low <= other.high)
        case ast.GtE():
            return Possible(one.high >= other.low, one.low < other.high)
        case ast.Eq():
            return _equal(one, other)
        case _:
            return Possible(*reversed(_equal(one, other)))


def _equal(one: Bounds, other: Bounds) -> Possible:
    apart = one.low > other.high or other.low > one.high
    return Possible(not apart, not one.low == one.high == other.low == other.high)


def _bounds(node: ast.expr, bounds: Mapping[str, Bounds]) -> Bounds | None:
    """The bounds of a number; None: it is none, or its bounds are not known."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return Bounds(low=value, high=value)
        case ast.Name(id=name):
            return bounds.get(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand) if (inner := _bounds(operand, bounds)) is not None:
            return Bounds(low=-inner.high, high=-inner.low)
        case ast.BinOp(left=left, op=op, right=right) if (compute := _MONOTONE.get(type(op))) is not None:
            one, other = _bounds(left, bounds), _bounds(right, bounds)
            if one is None or other is None:
                return None
            try:  # each operation rises or falls in each of its sides, rounding included
                ends = [compute(a, b) for a in (one.low, one.high) for b in (other.low, other.high)]
                finite = all(map(math.isfinite, ends))
            except ArithmeticError:
                return None
            return Bounds(low=min(ends), high=max(ends)) if finite else None
    return None


_MONOTONE: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
}
