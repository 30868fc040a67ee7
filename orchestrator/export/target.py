"""The export targets, and the export itself: into a new directory, completely or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from orchestrator.errors import OverwriteError, UserError
from orchestrator.records.paths import SweepPaths

NEEDS = {"tensorboard": "tensorboard", "mlflow": "mlflow"}
"""The extra that each target needs, named like the library it installs."""


class Target(StrEnum):
    """The tool to export for."""

    CSV = "csv"
    TENSORBOARD = "tensorboard"
    MLFLOW = "mlflow"


class Write(Protocol):
    """The ``write`` function of a target's module."""

    def __call__(self, paths: SweepPaths, to: Path, *, final: Path, told: Callable[[int, int], None]) -> None:
        """Write a sweep.

        Args:
            paths: The sweep's files.
            to: An empty directory.
            final: The path that the directory is renamed to.
            told: Called with the number of trials written so far, and of all trials.
        """
        ...


def export(
    paths: SweepPaths, target: Target, to: Path, *, told: Callable[[int, int], None] = lambda done, trials: None
) -> None:
    """Export a sweep. The export is written next to ``to`` and renamed when complete.

    Args:
        paths: The sweep's files. A running sweep is exported as recorded so far.
        target: The tool to export for.
        to: The directory to create. It may exist if it is empty.
        told: Called with the number of trials written so far, and of all trials, if that takes long.

    Raises:
        UserError: The directory is not empty or cannot be written, or the target's library is not installed.
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
        raise UserError(f"export to {target} requires {NEEDS[target]}: pip install 'sweep-orchestrator[{target}]'")


def _check_free(to: Path) -> None:
    if to.is_symlink() or (to.exists() and not (to.is_dir() and not any(to.iterdir()))):
        raise OverwriteError(f"{to} already exists; choose another directory with -o")
