"""Where the code and data of a recorded sweep are now, and its trainable if that was given from Python."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.errors import TrainableError, UserError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.spec.fingerprint import fingerprinted_files
from orchestrator.spec.given import load_given
from trainables import BUILTIN


def project_directory(paths: SweepPaths, info: SweepInfo, given: Path | None = None) -> Path:
    """The directory of a sweep's spec, from which its relative paths start.

    Args:
        paths: The sweep's files.
        info: The content of its sweep.json.
        given: Where the user says that it is; None: where the sweep was launched, or where it has moved with the sweep.

    Raises:
        UserError: It is gone, or ``given`` is no directory.
    """
    if given is not None:
        if not given.is_dir():
            raise UserError(f"there is no directory {given}")
        return given.resolve()
    moved, recorded, files = _moved_along(paths, info), Path(info.directory), _files(info)
    if moved is not None and any((moved / name).is_file() for name in files):
        return moved
    if recorded.is_dir():
        return recorded
    if moved is not None and moved.is_dir() and not files:
        return moved
    raise UserError(
        f"{paths.name} was launched in {recorded}, which no longer exists; say where its code and data are now:"
        " --project DIR (in Python: project=DIR)"
    )


def given_again(sweep: str, info: SweepInfo, base: Path, *, how: str = "") -> Callable[..., Any] | None:
    """The trainable of a sweep that was given from Python; None if the sweep's spec names it.

    Args:
        sweep: The sweep's name, for the error.
        info: The content of its sweep.json.
        base: Where its code is.
        how: How to give it again, with ``{train}`` for its name.

    Raises:
        UserError: It cannot be had in this process.
    """
    if info.given is None and not info.trainable.startswith("__main__:"):
        return None
    try:
        return load_given(info.trainable, info.given, base)
    except TrainableError as error:
        train = info.trainable.rpartition(":")[2].rpartition(".")[2]
        again = (
            f". Give it again in Python: {how.format(train=train if train.isidentifier() else 'train')}" if how else ""
        )
        raise UserError(
            f"the trainable of {sweep} was given from Python, and cannot be had here: {error}{again}"
        ) from error


def _moved_along(paths: SweepPaths, info: SweepInfo) -> Path | None:
    """Where the directory is if it has moved together with the sweep's; None if that has not moved."""
    here = os.path.realpath(paths.root)
    if not info.location or here == info.location:
        return None
    return Path(os.path.normpath(os.path.join(here, os.path.relpath(info.directory, info.location))))


def _files(info: SweepInfo) -> list[str]:
    """Files of the user's that were there at the launch, relative to the directory."""
    return [
        name
        for name in fingerprinted_files(info.fingerprints, code=info.trainable not in BUILTIN)
        if not os.path.isabs(name)
    ]
