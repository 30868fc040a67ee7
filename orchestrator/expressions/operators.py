"""The operators of expressions, with limits that keep results small."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_MAX_BITS = 1024  # of the result of an integer power; floats have the same range


def number(value: Any) -> Any:
    """The value if it is a finite number, else an error: 'a' * 10**9 would fill the memory."""
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value!r} is not finite")
    return value


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int):
        if abs(exponent) * max(1, base.bit_length()) > _MAX_BITS:
            raise ValueError(f"{base} ** {exponent} is too large")
    elif base < 0 and not float(exponent).is_integer():
        raise ValueError(f"{base} ** {exponent} is not a real number")
    return base**exponent


ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
COMPARISON: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, options: value in options,
    ast.NotIn: lambda value, options: value not in options,
}


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function of numbers, and how many it takes."""

    compute: Callable[..., Any]
    least: int = 1
    most: int = 1


FUNCTIONS: Mapping[str, Function] = {
    "abs": Function(compute=abs),
    "ceil": Function(compute=math.ceil),
    "exp": Function(compute=math.exp),
    "floor": Function(compute=math.floor),
    "int": Function(compute=int),
    "log": Function(compute=math.log, most=2),
    "max": Function(compute=max, least=2, most=10),
    "min": Function(compute=min, least=2, most=10),
    "round": Function(compute=round, most=2),
    "sqrt": Function(compute=math.sqrt),
}
SIGNS: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
