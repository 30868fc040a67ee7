"""Which values an undeclared training function certainly reads from its configuration, by its source.

Only what every call reads counts: what is read under a condition, in a loop, or after a possible return may be left out
on purpose, and a function that changes its configuration first may fill it in.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType

from orchestrator.spec.foreign_functions import definition_of

_CHANGES = frozenset({"update", "setdefault", "pop", "clear", "popitem"})


@dataclass(frozen=True, kw_only=True)
class ValuesRead:
    """What is read, each with the line of the function on which it is read first, from 1.

    ``config["optim"]["lr"]`` reads ("optim",) and ("optim", "lr").
    """

    lines: Mapping[tuple[str, ...], int]


def values_read(trainable: object) -> ValuesRead | None:
    """What a function reads; None if that cannot be told."""
    definition = definition_of(trainable) if isinstance(trainable, FunctionType) else None
    if definition is None or definition.decorator_list or not definition.args.args:
        return None
    config = definition.args.args[0].arg
    if any(_may_change(node, config) for node in ast.walk(definition)):
        return None
    lines: dict[tuple[str, ...], int] = {}
    for node in _always(definition.body):
        if isinstance(node, ast.Subscript) and (keys := _keys(node, config)):
            lines.setdefault(keys, node.lineno)
    return ValuesRead(lines=lines)


def _keys(node: ast.Subscript, config: str) -> tuple[str, ...]:
    """The keys by which an expression reads from the configuration; none, if it reads from something else."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)) if name == config:
            return (key,)
        case ast.Subscript(value=ast.Subscript() as outer, slice=ast.Constant(value=str() as key)):
            return (*keys, key) if (keys := _keys(outer, config)) else ()
    return ()


def _may_change(node: ast.AST, config: str) -> bool:
    """Whether something puts values into the configuration, or another object in its place."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return name == config
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name == config
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in _CHANGES:
            return name == config
        case ast.Expr(value=ast.Call(args=args)):
            return any(isinstance(each, ast.Name) and each.id == config for each in args)
    return False


def _always(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """The expressions that every execution of a body evaluates."""
    for statement in body:
        match statement:
            case ast.Expr() | ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Return():
                yield from _evaluated(statement)
            case ast.For(iter=expression) | ast.While(test=expression) | ast.If(test=expression):
                yield from _evaluated(expression)
            case ast.With(items=items, body=inner):
                for item in items:
                    yield from _evaluated(item.context_expr)
                yield from _always(inner)
        if any(isinstance(each, ast.Return | ast.Raise | ast.Try | ast.Match) for each in ast.walk(statement)):
            return


def _evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all within it that is evaluated whenever it is."""
    yield node
    match node:
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return
        case ast.IfExp(test=first) | ast.BoolOp(values=[first, *_]):
            yield from _evaluated(first)
            return
    for child in ast.iter_child_nodes(node):
        yield from _evaluated(child)
