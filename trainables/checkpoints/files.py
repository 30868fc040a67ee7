"""A trial's files in a directory of their own: ``last``, the newest state saved, and ``best``, that of the best report.

With ``.pt`` they hold tensors, with ``.json`` none; :mod:`trainables.checkpoints.saving` writes them during a trial.
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
        DamagedCheckpoint: The file is no whole checkpoint.
        OSError: It cannot be read.
    """
    return snapshot.read(path)[0].restored()


def find(directory: Path, name: Literal["best", "last"]) -> Path | None:
    """The checkpoint of that name in a trial's directory of checkpoints."""
    found = [path for suffix in SUFFIXES if (path := directory / f"{name}{suffix}").exists()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def surplus(directory: Path, keep: Keep) -> list[Path]:
    """What is not to stay of a trial that nobody trains: other checkpoints, damaged ones, what killed writers left.

    Where "best" is to stay and there is none, because no report came at the step of a save, "last" stays.

    Raises:
        OSError: The directory cannot be read.
    """
    names = kept(keep, best=find(directory, "best") is not None)
    try:
        return [path for path in directory.iterdir() if not (path.stem in names and path.suffix in SUFFIXES)]
    except FileNotFoundError:
        return []


def tidy(directory: Path, keep: Keep) -> None:
    """Remove the :func:`surplus`, and a directory without checkpoints; a writer still at work there then gives up.

    Raises:
        OSError: Something cannot be removed.
    """
    with suppress(FileNotFoundError):  # then there is nothing to remove
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
            tidy(directory, keep)  # a writer was quicker


def kept(keep: Keep, *, best: bool) -> Collection[str]:
    """The names of the files that stay, given whether there is a best one."""
    if keep == "best" and not best:
        return ("last",)
    return {"best": ("best",), "last": ("last",), "both": ("best", "last"), "none": ()}[keep]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A hidden name to write to, which then takes the place of ``path``; nobody ever sees half a file."""
    hidden = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        yield hidden
        hidden.replace(path)
    except BaseException:
        with suppress(OSError):  # on a full disk it is in the way
            hidden.unlink(missing_ok=True)
        raise
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
