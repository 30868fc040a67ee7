"""The checkpoint files of a trial, in their own directory: ``last``, the newest state, and ``best``, the best report's.

States with tensors are ``.pt`` files, others ``.json``. :mod:`trainables.checkpoints.saving` writes them during a
trial.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from trainables.checkpoints import snapshot

Keep = Literal["best", "last", "both", "none"]

SUFFIXES = (".pt", ".json")


def load(path: Path) -> dict[str, Any]:
    """A checkpoint's state by the names it was saved under, with "step". Nothing is unpickled.

    Raises:
        DamagedCheckpoint: The file is not a complete checkpoint.
        OSError: The file cannot be read.
    """
    return snapshot.read(path)[0].restored()


def find(directory: Path, name: Literal["best", "last"]) -> Path | None:
    """The newest checkpoint of that name in a trial's directory of checkpoints; None if there is none."""
    found = [path for suffix in SUFFIXES if (path := directory / f"{name}{suffix}").exists()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def surplus(directory: Path, keep: Keep) -> list[Path]:
    """The files to remove from a trial that is not running: other and damaged checkpoints, leftovers of killed writers.

    If ``keep`` is "best" and there is no best checkpoint, because no report came at the step of a save, "last" is kept.

    Raises:
        OSError: The directory cannot be read.
    """
    names = kept(keep, best=find(directory, "best") is not None)
    try:
        return [path for path in directory.iterdir() if not (path.stem in names and path.suffix in SUFFIXES)]
    except FileNotFoundError:
        return []


def tidy(directory: Path, keep: Keep) -> None:
    """Remove the :func:`surplus`, and the directory if no checkpoint is left; a writer still active there gives up.

    Raises:
        OSError: A file cannot be removed.
    """
    with suppress(FileNotFoundError):  # nothing to remove
        while unwanted := surplus(directory, keep):
            for path in unwanted:
                path.unlink(missing_ok=True)
        if keep != "none" and any(directory.iterdir()):
            return
        try:
            directory.rmdir()
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            tidy(directory, keep)  # a writer was faster


def kept(keep: Keep, *, best: bool) -> Collection[str]:
    """The names of the files to keep, given whether there is a best one."""
    if keep == "best" and not best:
        return ("last",)
    return {"best": ("best",), "last": ("last",), "both": ("best", "last"), "none": ()}[keep]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a hidden path to write to, which then replaces ``path``, so that nobody sees an incomplete file."""
    hidden = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        yield hidden
        hidden.replace(path)
    except BaseException:
        with suppress(OSError):  # it would fill a full disk
            hidden.unlink(missing_ok=True)
        raise
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
