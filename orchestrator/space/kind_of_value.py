"""The kind of a formula's values, from the kinds of the values that it uses: one column holds them all.

A value is an integer by construction, or a float even where it happens to be whole: `/`, `sqrt`, `log` and `exp` give
floats, a power of integers is one only if its exponent is never negative, and `int`, `round`, `floor` and `ceil` give
integers again.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

from orchestrator.expressions.expression import Formula
from orchestrator.space.values import Kind


def kind_of_value(formula: Formula, kinds: Mapping[str, Kind], not_negative: Collection[str] = ()) -> Kind:
    """The kind of all values of a formula.

    Args:
        formula: The formula.
        kinds: The kinds of its names.
        not_negative: Names whose values are never below 0.

    Returns:
        "json" if the values are of several kinds, or lists.
    """
    return _kind(formula.tree, kinds, not_negative)


def _kind(node: ast.expr, kinds: Mapping[str, Kind], not_negative: Collection[str]) -> Kind:
    def inner(each: ast.expr) -> Kind:
        return _kind(each, kinds, not_negative)

    match node:
        case ast.Constant(value=bool()) | ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return "bool"
        case ast.Constant(value=int()):
            return "int"
        case ast.Constant(value=float()):
            return "float"
        case ast.Constant(value=str()):
            return "str"
        case ast.Name(id=name):
            return kinds[name]
        case ast.UnaryOp(operand=operand):
            return _number(inner(operand))
        case ast.BinOp(op=ast.Div()):
            return "float"
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _number(inner(left), inner(right)) if _is_not_negative(right, not_negative) else "float"
        case ast.BinOp(left=left, right=right):
            return _number(inner(left), inner(right))
        case ast.IfExp(body=body, orelse=orelse):
            one, other = inner(body), inner(orelse)
            return one if one == other else _number(one, other)
        case ast.Call(func=ast.Name(id="int" | "floor" | "ceil")):
            return "int"
        case ast.Call(func=ast.Name(id="round"), args=[_]):
            return "int"
        case ast.Call(func=ast.Name(id="round"), args=[rounded, _]):
            return _number(inner(rounded))
        case ast.Call(func=ast.Name(id="abs" | "min" | "max"), args=args):
            return _number(*map(inner, args))
        case ast.Call():
            return "float"
    return "json"


def _number(*kinds: Kind) -> Kind:
    """The kind of a number that is computed from values of these kinds."""
    if any(kind in ("str", "json") for kind in kinds):
        return "json"
    return "float" if "float" in kinds else "int"


def _is_not_negative(node: ast.expr, not_negative: Collection[str]) -> bool:
    match node:
        case ast.Constant(value=int(value)):
            return value >= 0
        case ast.Name(id=name):
            return name in not_negative
    return False
