"""What belongs to a function that was given from Python, rather than named in a spec.

A function of a module is sent to workers by the name of its module. One of a script or a notebook is sent by value, and
so is what it uses of the script or of other cells.
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
from orchestrator.code.script import used_statements


@dataclass(frozen=True, kw_only=True)
class Given:
    """The code of a function that was given from Python."""

    files: tuple[Path, ...] = ()  # of its module; of a function of a notebook, those of the modules that it uses
    by_value: bytes | None = None  # the source of what is sent by value
    script: Path | None = None  # where that is written; None: in a notebook


def code_of(function: Callable[..., Any]) -> Given:
    """The code of a function, or of a class, partial or callable object."""
    wrapped = function
    while isinstance(wrapped, functools.partial):
        wrapped = wrapped.func
    wrapped = inspect.unwrap(wrapped)
    if not isinstance(wrapped, FunctionType | type):
        wrapped = type(wrapped)
    module = sys.modules.get(wrapped.__module__)
    file = _file(module)
    if module is None or file is None:
        return _of_notebook(wrapped)
    if module.__name__ == "__main__":
        name = wrapped.__qualname__ if wrapped is function else ""  # of a partial, the arguments count as well
        return Given(by_value=used_statements(file.read_bytes(), name), script=file)
    packages = (file.parents[up] / "__init__.py" for up in range(module.__name__.count(".")))
    return Given(files=(*packages, file))


def _of_notebook(function: FunctionType | type) -> Given:
    beside, files = _used(function)
    sources = []
    for each in sorted(beside, key=lambda each: each.__qualname__):
        with suppress(OSError, TypeError):  # typed at a prompt; a class, whose methods follow
            sources.append(textwrap.dedent(inspect.getsource(each)))
    return Given(files=tuple(files), by_value="\n".join(sources).encode() if sources else None)


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
    for name in names(value.__code__):
        if name in value.__globals__:
            yield value.__globals__[name]
    for cell in value.__closure__ or ():
        with suppress(ValueError):  # not assigned yet
            yield cell.cell_contents


def names(code: CodeType) -> Iterator[str]:
    """The global names and attributes that code uses, with the modules it imports; nested functions included."""
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from names(each)


def _file(module: object) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file) if isinstance(file, str) and file.endswith(".py") and Path(file).is_file() else None
