"""What a Python source means and what it imports, read from its syntax tree without running it."""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

CODE = "code sha256 "
"""How fingerprints of code begin."""

LARGEST = 5_000_000
"""Bytes. A larger source is not parsed: it is compared byte by byte, and what it imports is not known."""

_WITH_DOCSTRING = {ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef}
_IMPORTING = {ast.Import, ast.ImportFrom, ast.Call}
_BY_NAME = ("import_module", "__import__")
_NO_MEANING = {"ctx", "kind"}  # follows from the parent; the u of u"text"
_PLAIN = {str, bytes, int, float, complex, bool, type(...)}


@dataclass(frozen=True, kw_only=True)
class Import:
    """One import, as it is written."""

    module: str
    level: int = 0  # leading dots
    names: tuple[str, ...] = ()  # imported from the module; any of them may be a submodule
    all: bool = False  # any submodule: the rest of the name is known only when the code runs


@dataclass(frozen=True, kw_only=True)
class Syntax:
    """A source as read."""

    fingerprint: str  # the same for sources that differ only in comments, docstrings and layout
    imports: tuple[Import, ...]


def read(source: bytes) -> Syntax:
    """The meaning of a source. If it cannot be parsed, its bytes are its meaning, and it imports nothing."""
    if len(source) <= LARGEST:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(source)
            words, imports = _words(tree)
            digest = hashlib.sha256("\n".join(words).encode())
            return Syntax(fingerprint=CODE + digest.hexdigest(), imports=tuple(imports))
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: nested too deep for the parser
            pass
    return Syntax(fingerprint=CODE + hashlib.sha256(source).hexdigest(), imports=())


def same(one: bytes, other: bytes) -> bool:
    """Whether two sources mean the same."""
    return one == other or read(one).fingerprint == read(other).fingerprint


def _words(tree: ast.AST) -> tuple[list[str], list[Import]]:
    """The tree in words, parents first, without positions and docstrings; and the imports in it.

    Unlike ``ast.dump``, this is the same in all versions of Python, because it leaves out empty fields: newer versions
    add some. It is also twice as fast, which is why types are looked up, and not asked about with isinstance.
    """
    words: list[str] = []
    imports: list[Import] = []
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        kind = type(node)
        if not issubclass(kind, ast.AST):  # a name in a list, or None
            words.append(ascii(node))
            continue
        words.append(kind.__name__)
        if kind in _IMPORTING:
            imports += _imports(node)
        children: list[Any] = []
        for field in kind._fields:
            value = getattr(node, field, None)
            if value is None or field in _NO_MEANING:
                continue
            if type(value) is list:
                if field == "body" and kind in _WITH_DOCSTRING and _is_text(value):
                    value = value[1:]
                elif kind is ast.JoinedStr:  # Python 3.12 puts empty texts between the parts
                    value = [each for each in value if getattr(each, "value", None) != ""]
                if value:
                    words.append(f"{field}*{len(value)}")
                    children += value
            elif type(value) in _PLAIN:
                words.append(f"{field}={value!a}")  # what repr escapes depends on the version of Unicode
            else:
                words.append(field)
                children.append(value)
        waiting += reversed(children)
    return words, imports


def _is_text(body: list[ast.stmt]) -> bool:
    first = body[0] if body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


def _imports(node: ast.Import | ast.ImportFrom | ast.Call) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(module=alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield Import(module=node.module or "", level=node.level, names=tuple(alias.name for alias in node.names))
    elif node.args and (getattr(node.func, "attr", None) or getattr(node.func, "id", None)) in _BY_NAME:
        name, whole = _beginning(node.args[0])
        package = name if whole else name.rpartition(".")[0]
        if package.strip("."):
            level = len(package) - len(package.lstrip("."))
            yield Import(module=package[level:], level=level, all=not whole)


def _beginning(name: ast.expr) -> tuple[str, bool]:
    """What is written of a name in ``import_module(name)``, and whether that is all: f"models.{kind}" is "models."."""
    if isinstance(name, ast.JoinedStr) and name.values:
        name, whole = name.values[0], False
    elif isinstance(name, ast.BinOp):
        name, whole = name.left, False
    else:
        whole = True
    return (name.value, whole) if isinstance(name, ast.Constant) and isinstance(name.value, str) else ("", False)
