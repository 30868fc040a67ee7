"""What belongs to a function that was given from Python, rather than named in a spec.

A function of a module is sent to workers by the name of its module. One that was typed in a notebook has no module: it
is sent by value, and so are the functions and classes of other cells that it uses.
"""

from __future__ import annotations

import functools
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from orchestrator.code.local_modules import is_local


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a function's code."""

    files: tuple[Path, ...]  # of its module, or of the modules that it uses
    source: bytes | None = None  # of a function without a file, and of those beside it that it uses


def known(function: Callable[..., Any]) -> Known:
    """The code of a function, or of a class, partial or callable object."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    if not isinstance(function, FunctionType | type):
        function = type(function)
    module = sys.modules.get(function.__module__)
    file = _file(module)
    if module is not None and file is not None:
        packages = (file.parents[up] / "__init__.py" for up in range(module.__name__.count(".")))
        return Known(files=(*packages, file))
    beside, files = _used(function)
    sources = []
    for each in sorted(beside, key=lambda each: each.__qualname__):
        with suppress(OSError, TypeError):  # typed at a prompt; a class, whose methods follow
            sources.append(textwrap.dedent(inspect.getsource(each)))
    return Known(files=tuple(files), source="\n".join(sources).encode() if sources else None)


def _used(function: FunctionType | type) -> tuple[list[FunctionType | type], list[Path]]:
    """The function and what it uses of its own module; the files of the other local modules that these use.

    Used is what their code names; what they do with it is not looked at.
    """
    beside: list[FunctionType | type] = []
    files: dict[Path, None] = {}
    waiting: list[object] = [function]
    while waiting:
        value = waiting.pop()
        if isinstance(value, ModuleType):
            file = _file(value)
        else:
            definition = value if isinstance(value, FunctionType | type) else type(value)
            if definition.__module__ == function.__module__ and definition not in beside:
                beside.append(definition)
                waiting += _named_in(definition)
            file = _file(sys.modules.get(definition.__module__))
        if file is not None and is_local(file):
            files[file] = None
    return beside, list(files)


def _named_in(value: FunctionType | type) -> Iterator[object]:
    if isinstance(value, type):
        yield from value.__bases__
        yield from (getattr(each, "__func__", each) for each in vars(value).values())  # its methods
        return
    for name in _names(value.__code__):
        if name in value.__globals__:
            yield value.__globals__[name]
    for cell in value.__closure__ or ():
        with suppress(ValueError):  # not assigned yet
            yield cell.cell_contents


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names(each)


def _file(module: object) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file) if isinstance(file, str) and file.endswith(".py") and Path(file).is_file() else None
