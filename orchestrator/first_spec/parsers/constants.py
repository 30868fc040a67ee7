"""Values that a syntax tree tells without running anything."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.first_spec.parsers.option import UNKNOWN

_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
_MOST_DIGITS = 100
_MOST_ITEMS = 1000


def constants_of(tree: ast.Module) -> dict[str, Any]:
    """The names that a module binds once, at its top, to a value that is told."""
    values: dict[str, Any] = {}
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                values[name] = UNKNOWN if name in values else constant(value, values)
    return {name: value for name, value in values.items() if value is not UNKNOWN}


def constant(node: ast.expr | None, names: Mapping[str, Any]) -> Any:
    """The value of an expression; ``UNKNOWN`` if only running it would tell.

    Args:
        node: The expression; None has the value None.
        names: Values of names.
    """
    match node:
        case None:
            return None
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return names.get(name, UNKNOWN)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            values = [constant(each, names) for each in elements]
            return UNKNOWN if UNKNOWN in values else values
        case ast.Dict(keys=keys, values=inner):
            pairs = [(constant(key, names), constant(each, names)) for key, each in zip(keys, inner, strict=True)]
            told = all(isinstance(key, str) and value is not UNKNOWN for key, value in pairs)
            return dict(pairs) if told else UNKNOWN
        case ast.ListComp(elt=element, generators=[ast.comprehension(target=ast.Name(id=name), iter=source, ifs=[])]):
            items = _items(source, names)
            values = [constant(element, {**names, name: item}) for item in items]
            return UNKNOWN if not values or UNKNOWN in values else values
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = constant(operand, names)
            return -value if isinstance(value, int | float) else UNKNOWN
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(constant(left, names), constant(right, names))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _computed(_ARITHMETIC[type(op)], constant(left, names), constant(right, names))
    return UNKNOWN


def _items(node: ast.expr, names: Mapping[str, Any]) -> Sequence[Any]:
    """What a comprehension goes over: a list, or a range; empty if that is not told, or is long."""
    if isinstance(node, ast.Call) and called(node) == "range":
        bounds = [constant(each, names) for each in node.args]
        whole = all(isinstance(each, int) for each in bounds) and 1 <= len(bounds) <= 3 and bounds[2:] != [0]
        items: Sequence[Any] = range(*bounds) if whole else ()
    else:
        found = constant(node, names)
        items = found if isinstance(found, list) else ()
    return items if len(items) <= _MOST_ITEMS else ()


def _computed(operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if not all(isinstance(each, int | float) for each in (left, right)):
        return UNKNOWN
    try:
        return operation(left, right)
    except (ArithmeticError, ValueError):
        return UNKNOWN


def _power(base: Any, exponent: Any) -> Any:
    if not isinstance(exponent, int | float) or abs(exponent) > _MOST_DIGITS:
        return UNKNOWN
    return _computed(operator.pow, base, exponent)


def called(node: ast.AST) -> str:
    """What a call or decorator names, with its dots: ``parser.add_argument``; "" if it has no name."""
    target = node.func if isinstance(node, ast.Call) else node
    return ast.unparse(target) if isinstance(target, ast.Name | ast.Attribute) else ""


def keywords(call: ast.Call, names: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of a call that are told, by name, and the others as ``UNKNOWN``."""
    return {each.arg: constant(each.value, names) for each in call.keywords if each.arg}


TYPES: Mapping[str, type] = {"int": int, "float": float, "str": str, "bool": bool, "Path": str, "pathlib.Path": str}


def type_named(node: ast.expr | None) -> type | None:
    """The type that an annotation or `type=` names; None if it names another, or none.

    Optional types count as the type itself.
    """
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return type_named(left) or type_named(right)
        case ast.Subscript(value=value, slice=inner) if ast.unparse(value).rpartition(".")[2] == "Optional":
            return type_named(inner)
        case ast.Subscript(value=value, slice=ast.Tuple(elts=[first, *_])) if _is_annotated(value):
            return type_named(first)
        case ast.Constant(value=str() as text):
            return TYPES.get(text)
        case ast.Name() | ast.Attribute():
            return TYPES.get(ast.unparse(node))
    return None


def literals_of(node: ast.expr | None, names: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of a ``Literal`` annotation; empty for another."""
    match node:
        case ast.Subscript(value=value, slice=inner) if ast.unparse(value).rpartition(".")[2] == "Literal":
            values = constant(inner, names)
            return () if values is UNKNOWN else tuple(values if isinstance(values, list) else [values])
        case ast.Subscript(value=value, slice=ast.Tuple(elts=[first, *_])) if _is_annotated(value):
            return literals_of(first, names)
    return ()


def _is_annotated(node: ast.expr) -> bool:
    return ast.unparse(node).rpartition(".")[2] == "Annotated"
