"""The lines with metrics that a program prints for people, as a regular expression, by its source."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.first_spec.metrics import rank
from orchestrator.first_spec.parsers.constants import called
from trainables.command.steps import STEP_KEYS

_PRINTS = ("print", "info", "write", "debug", "log", "echo", "secho")
_NAME = re.compile(r"([A-Za-z][\w./-]*(?: +[A-Za-z][\w./-]*){0,2})\s*[:=]?\s*[\[(]?$")
_PRINTF = re.compile(r"%[-+ #0-9.]*[diufFeEgGsr]")
_GROUP = r"(?P<{}>[-+.\w]+)"
_VALUE = r"[-+.\w]+"


@dataclass(frozen=True, kw_only=True)
class PrintedLine:
    """A line that is printed again and again.

    Attributes:
        pattern: A regular expression with a named group for each metric.
        metrics: The names of the groups without the one that counts the steps.
    """

    pattern: str
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class _Field:
    """Something that is formatted into a text."""


def printed_line(tree: ast.Module) -> PrintedLine | None:
    """The line that tells most about a training; None if no line has a metric with its name before it."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node).rpartition(".")[2] in _PRINTS and node.args:
            for line in _lines(list(_pieces(node.args[0]))):
                found += [printed] if (printed := _printed(line)) is not None else []
    return max(found, key=lambda each: max(map(rank, each.metrics)), default=None)


def _pieces(node: ast.expr) -> Iterator[str | _Field]:
    """The texts and fields of an f-string, of ``"…".format(…)`` or of ``"…" % …``."""
    match node:
        case ast.JoinedStr(values=values):
            for each in values:
                yield from _pieces(each)
        case ast.FormattedValue():
            yield _Field()
        case ast.Constant(value=str() as text):
            yield text
        case ast.BinOp(left=ast.Constant(value=str() as text), op=ast.Mod()):
            for at, constant in enumerate(_PRINTF.split(text)):
                yield from ([_Field()] if at else [])
                yield constant.replace("%%", "%")
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as text), attr="format")):
            try:
                for constant, name, _, _ in string.Formatter().parse(text):
                    yield constant
                    if name is not None:
                        yield _Field()
            except ValueError:
                return


def _lines(pieces: Sequence[str | _Field]) -> Iterator[list[str | _Field]]:
    line: list[str | _Field] = []
    for piece in pieces:
        if isinstance(piece, _Field):
            line.append(piece)
            continue
        first, *others = re.split(r"[\r\n]", piece)
        line.append(first)
        for each in others:
            yield line
            line = [each]
    yield line


def _printed(line: Sequence[str | _Field]) -> PrintedLine | None:
    pattern, names, before = "", [], ""
    last = max((at for at, piece in enumerate(line) if isinstance(piece, _Field)), default=-1)
    for piece in line[: last + 1]:
        if isinstance(piece, str):
            pattern += r"\s*".join(map(re.escape, re.split(r"\s+", piece))).replace(r"\ ", " ")
            before = piece
            continue
        named = _NAME.search(before)
        name = re.sub(r"\W+", "_", named[1]).strip("_").lower() if named is not None else ""
        if name and name not in names:
            names.append(name)
            pattern += _GROUP.format(name)
        else:
            pattern += _VALUE
        before = ""
    metrics = tuple(name for name in names if name not in STEP_KEYS)
    return PrintedLine(pattern=pattern, metrics=metrics) if any(map(rank, metrics)) else None
