"""Lets a user's project have a folder called `orchestrator`, too.

Our functions import from our package at any time, so the name cannot change its meaning for all code of the process, as
those of :mod:`orchestrator.own_packages` do. It means the user's package in import statements of the project's files,
and ours everywhere else. For that ``builtins.__import__`` is replaced, in processes of such projects only.
"""

from __future__ import annotations

import builtins
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

NAME = "orchestrator"
_OURS = str(Path(__file__).resolve().parent) + os.sep

_import = builtins.__import__
_lock = threading.RLock()
_project = ""  # the directory of the user's package, with a separator at its end; "": there is none
_theirs: dict[str, ModuleType] = {}  # the modules of the user's package
_importing = False  # whether the name means the user's package now


def give_way(project: Path) -> None:
    """From now on, the name means the user's package in the files of a project that has one."""
    global _project
    if not ((project / NAME).is_dir() or (project / f"{NAME}.py").is_file()):
        return
    _project = str(project.resolve()) + os.sep
    builtins.__import__ = _import_for_the_caller


def is_theirs() -> bool:
    """Whether the name means the user's package now, while a file of the project imports it."""
    return _importing


def _import_for_the_caller(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    package = name if level == 0 else (globals or {}).get("__package__") or ""
    if package.partition(".")[0] != NAME:
        return _import(name, globals, locals, fromlist, level)
    with _lock:
        if _importing == _is_theirs(globals):
            return _import(name, globals, locals, fromlist, level)
        _swap()
        try:
            return _import(name, globals, locals, fromlist, level)
        finally:
            _swap()


def _is_theirs(caller: Mapping[str, Any] | None) -> bool:
    """Whether the module with these globals is a file of the user's project."""
    file = os.path.realpath(str((caller or {}).get("__file__") or os.devnull))
    return file.startswith(_project) and not file.startswith(_OURS) and "site-packages" not in file


def _swap() -> None:
    """Exchange the meanings of the name."""
    global _importing
    in_force = {key: sys.modules.pop(key) for key in list(sys.modules) if key.partition(".")[0] == NAME}
    sys.modules.update(_theirs)
    _theirs.clear()
    _theirs.update(in_force)
    _importing = not _importing
