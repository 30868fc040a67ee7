"""What a function of a script depends on: the part of the script that is sent to workers with it.

A script holds the spec and the call of ``orchestrator.run`` as well. They may change, as when a sweep is to get more
trials, and do not change the code that is trained.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator, Sequence
from importlib.util import decode_source
from types import CodeType

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def used_statements(source: bytes, name: str) -> bytes:
    """The top-level statements that define ``name`` and, in turn, what these use; the whole source if that is unknown.

    A statement defines what it binds, and what it changes by ``a.b = …``, ``a[b] = …`` or ``a.method(…)``; a call of an
    imported module's function changes nothing of the script's.
    """
    try:
        text = decode_source(source)
        body = ast.parse(text).body
    except _UNREADABLE:
        return source
    statements = _statements(body, text)
    used = _used_of(body, statements, name)
    return "\n".join(statements[at] for at in used).encode() if used else source


def used_program(source: bytes, name: str, file: str) -> CodeType | None:
    """The same statements as a program, whose lines are those of the file; None if they are unknown."""
    try:
        text = decode_source(source)
        body = ast.parse(text).body
        used = _used_of(body, _statements(body, text), name)
        ours = [each for at, each in enumerate(body) if at in used or _is_of_the_future(each)]
        return compile(ast.Module(ours, type_ignores=[]), file, "exec", dont_inherit=True) if used else None
    except _UNREADABLE:
        return None


def _statements(body: Sequence[ast.stmt], text: str) -> list[str]:
    lines = text.split("\n")
    return ["\n".join(lines[_first_line(each) - 1 : each.end_lineno]) for each in body]


def _used_of(body: Sequence[ast.stmt], statements: Sequence[str], name: str) -> list[int]:
    """The positions of the statements that define a name and what these use; none if none defines it."""
    imported = {name for statement in body for name in _imported(statement)}
    defines = [set(_defined(statement, imported)) for statement in body]
    wanted, found = {name}, set[int]()
    while new := [at for at, each in enumerate(defines) if at not in found and each & wanted]:
        found.update(new)
        wanted.update(*(_used(symtable.symtable(statements[at], "script", "exec")) for at in new))
    return sorted(found)


def _is_of_the_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _first_line(statement: ast.stmt) -> int:
    if isinstance(statement, _DEFINITIONS):
        return min([statement.lineno, *(each.lineno for each in statement.decorator_list)])
    return statement.lineno


def _used(scope: symtable.SymbolTable) -> Iterator[str]:
    """The global names that a scope and the scopes within it refer to."""
    for symbol in scope.get_symbols():
        if symbol.is_global() or (scope.get_type() == "module" and symbol.is_referenced()):
            yield symbol.get_name()
    for inner in scope.get_children():
        yield from _used(inner)


def _defined(statement: ast.stmt, imported: set[str]) -> Iterator[str]:
    if isinstance(statement, _DEFINITIONS):
        yield statement.name
        return
    yield from _imported(statement)
    for node in ast.walk(statement):
        if isinstance(node, _DEFINITIONS):
            yield node.name
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            yield from _object_of(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield from (each for each in _object_of(node.value.func) if each not in imported)


def _imported(statement: ast.stmt) -> Iterator[str]:
    if not isinstance(statement, _DEFINITIONS):
        for node in ast.walk(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)


def _object_of(node: ast.expr) -> Iterator[str]:
    """``a`` of ``a.b[c].d``."""
    inner = node
    while isinstance(inner, ast.Attribute | ast.Subscript):
        inner = inner.value
    if inner is not node and isinstance(inner, ast.Name):
        yield inner.id
