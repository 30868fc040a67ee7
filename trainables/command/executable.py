"""Finds the program and the script that a command names, before anything starts."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from trainables.command.template import names_in

_PYTHON = ("python", "pypy")
_CODE = (".py", ".sh", ".yaml", ".yml", ".json", ".toml", ".ini", ".cfg")
_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def path_variable() -> str:
    """PATH for programs: as it is, and at its end the directory of the Python that runs this process.

    If that is a virtual environment's and none is activated, its directory comes first: then `python train.py` is run
    by the Python that sweep is installed for, as in ``.venv/bin/sweep launch``.
    """
    path, own = os.environ.get("PATH", os.defpath), os.path.dirname(sys.executable)
    activated = any(os.environ.get(name) for name in ("VIRTUAL_ENV", "CONDA_PREFIX"))
    first = sys.prefix != sys.base_prefix and not activated
    return os.pathsep.join(filter(None, (own, path) if first else (path, own)))


def problem(arguments: Sequence[str], base: Path) -> tuple[str, str]:
    """Why a command cannot be started, and what to do: ("", "") if it can, as far as one can see.

    Args:
        arguments: The command's, with placeholders.
        base: The directory in which it starts.
    """
    program = arguments[0]
    if any(names_in(program)):
        return "", ""
    if os.sep in program:
        path = base / program
        if not path.is_file():
            return f"there is no program {path}", "the path of a program, from the spec's directory"
        if not os.access(path, os.X_OK):
            return f"{path} is not executable", f"chmod +x {program}, or name what runs it, as in sh {program}"
    elif shutil.which(program, path=path_variable()) is None:
        beside = f"./{program}" if (base / program).is_file() else ""
        runs_it = f"python {program}" if program.endswith(".py") else beside
        return f"there is no program {program!r} on PATH", runs_it if beside else "a program on PATH, or a path"
    script = script_of(arguments)
    if script and not any(names_in(script)) and not (base / script).is_file():
        return f"there is no file {base / script}", "the script's path from the spec's directory"
    return "", ""


def script_of(arguments: Sequence[str]) -> str:
    """The Python script that a command runs; "" if it runs none that one can tell."""
    if not os.path.basename(arguments[0]).startswith(_PYTHON):
        return ""
    for argument in arguments[1:]:
        if argument.endswith(".py"):
            return argument
        if argument in ("-m", "-c", "-"):
            return ""
    return ""


def module_of(arguments: Sequence[str]) -> str:
    """The module that a command runs with ``-m``, by itself or by a launcher; "" if it runs none."""
    for option, module in pairwise(arguments):
        if option in ("-m", "--module") and _MODULE.fullmatch(module):
            return module
    return ""


def files_of(arguments: Sequence[str], base: Path) -> list[str]:
    """The files that a command names and that are part of its code: programs, scripts and configurations."""
    return [
        argument
        for at, argument in enumerate(arguments)
        if not any(names_in(argument))
        and (argument.endswith(_CODE) or (at == 0 and os.sep in argument))
        and (base / argument).is_file()
    ]
