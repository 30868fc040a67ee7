"""Where a sweep can be taken, and how it gets there: into a new directory, all of it or nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from orchestrator.errors import UserError
from orchestrator.records.paths import SweepPaths

NEEDS = {"tensorboard": "tensorboard", "mlflow": "mlflow"}
"""Extras by target, each called as the library that it brings."""


class Target(StrEnum):
    """What reads the export."""

    CSV = "csv"
    TENSORBOARD = "tensorboard"
    MLFLOW = "mlflow"


class Write(Protocol):
    """What the module of a target has."""

    def __call__(self, paths: SweepPaths, to: Path, *, final: Path, told: Callable[[int, int], None]) -> None:
        """Write a sweep.

        Args:
            paths: Of the sweep.
            to: An empty directory.
            final: What that will be called.
            told: Is told how many trials are written, and of how many.
        """
        ...


def export(
    paths: SweepPaths, target: Target, to: Path, *, told: Callable[[int, int], None] = lambda done, trials: None
) -> None:
    """Write the sweep for the target, beside ``to`` at first: what has that name in the end is whole.

    Args:
        paths: Of the sweep. It may still run: what it has recorded by now is taken.
        target: What shall read it.
        to: The directory to make. It may be there already if it is empty.
        told: Is told how many trials are written, and of how many, where that takes a while.

    Raises:
        UserError: There is something in it already, it cannot be written, or the target's library is not installed.
        RecordsError: The records are damaged.
    """
    _check_installed(target)
    _check_free(to)
    write: Write = import_module(f"orchestrator.export.to_{target}").write
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{to.name}.", dir=to.parent, ignore_cleanup_errors=True) as home:
            half = Path(home) / to.name
            half.mkdir()
            write(paths, half, final=to.resolve(), told=told)
            half.rename(to)
    except OSError as error:
        raise UserError(f"cannot write {to}: {error.strerror or error}") from error


def _check_installed(target: Target) -> None:
    if target in NEEDS and find_spec(NEEDS[target]) is None:
        raise UserError(
            f"{NEEDS[target]} is not installed, which writes what it reads: pip install 'sweep-orchestrator[{target}]'"
        )


def _check_free(to: Path) -> None:
    if to.is_symlink() or (to.exists() and not (to.is_dir() and not any(to.iterdir()))):
        raise UserError(f"{to} exists: nothing is overwritten; name another directory with -o")
