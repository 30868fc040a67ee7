"""A trainable that was given from Python: what the records call it, and how another process gets it again."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Literal

from orchestrator.code.script import used_program
from orchestrator.errors import TrainableError
from orchestrator.spec.load_trainable import check_trainable, importing, load

Given = Literal["module", "script", "memory"]
"""By a module that can be imported; by a script, of which only what the trainable uses is run again; or not by a name:
in a notebook, inside a function, as a partial."""


def how_given(train: Callable[..., Any]) -> Given:
    """How a trainable was given."""
    module = inspect.getmodule(train)
    name = getattr(train, "__qualname__", "")
    if module is None or not isinstance(train, FunctionType | type) or getattr(module, name, None) is not train:
        return "memory"
    if module.__name__ != "__main__":
        return "module"
    return "script" if _script() is not None else "memory"


def reference_of(train: Callable[..., Any], base: Path) -> str:
    """What the records call it: ``module:function`` or, of a script, ``file.py:function``, seen from ``base``."""
    name = getattr(train, "__qualname__", "train")
    script = _script()
    if how_given(train) == "script" and script is not None:
        return f"{Path(os.path.relpath(script, base)).as_posix()}:{name}"
    module = inspect.getmodule(train)
    return f"{module.__name__ if module is not None else '__main__'}:{name}"


def load_given(reference: str, given: Given | None, base: Path) -> Callable[..., Any]:
    """The trainable again, in another process.

    Args:
        reference: What the records call it.
        given: How it was given; None: unknown.
        base: The sweep's project.

    Raises:
        TrainableError: It has no name by which it can be had, or not any more.
    """
    where, _, name = reference.partition(":")
    if given == "script":
        return _of_script(base / where, name, base)
    if given == "module":
        return load(reference, base)
    raise TrainableError(f"{name} was made in a notebook, at a prompt or inside another function")


def _script() -> Path | None:
    file = getattr(sys.modules["__main__"], "__file__", None)
    return Path(file).absolute() if isinstance(file, str) and file.endswith(".py") and Path(file).is_file() else None


def _of_script(script: Path, name: str, base: Path) -> Callable[..., Any]:
    """Run what the trainable uses of its script, as this process's main module: all is then as it was at the launch."""
    try:
        program = used_program(script.read_bytes(), name, str(script))
    except OSError as error:
        raise TrainableError(f"cannot read {script}: {error.strerror}") from error
    if program is None:
        raise TrainableError(f"{script.name} has no {name!r}")
    module = ModuleType("__main__")
    module.__file__ = str(script)
    with importing(script.name, base, script.parent):
        sys.modules["__main__"] = module
        exec(program, vars(module))
    trainable: Callable[..., Any] = getattr(module, name)
    check_trainable(trainable)
    return trainable
