"""The checkpoint files of a trial, in their own directory: ``last``, the newest state, and ``best``, the best report's.

States with tensors are ``.pt`` files, others ``.json``. Files and directories that a trial saves are copied to a place
beside them (:mod:`trainables.checkpoints.saved_files`), which a ``.json`` file names: replacing that file replaces them
at once. :mod:`trainables.checkpoints.saving` writes them during a trial.
"""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from trainables.checkpoints import snapshot
from trainables.checkpoints.saved_files import is_place, remove

Keep = Literal["best", "last", "both", "none"]

SUFFIXES = (".pt", ".json")

PATIENCE_S = 2.0
"""Seconds for which a writer may be faster than the removal of what it writes."""


def load(path: Path) -> dict[str, Any]:
    """A checkpoint's state by the names it was saved under, with "step", and the saved file or directory as "path".

    Nothing is unpickled.

    Raises:
        DamagedCheckpoint: The file is not a complete checkpoint.
        OSError: The file cannot be read.
    """
    return snapshot.read(path)[0].restored()


def find(directory: Path, name: Literal["best", "last"]) -> Path | None:
    """The newest checkpoint of that name in a trial's directory of checkpoints; None if there is none."""
    found = [path for suffix in SUFFIXES if (path := directory / f"{name}{suffix}").exists()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def saved_path(path: Path) -> Path | None:
    """The saved file or directory of a checkpoint, unless it has none or is damaged.

    Raises:
        OSError: The checkpoint cannot be read.
    """
    if snapshot.place_of(path) is None:
        return None
    try:
        files = snapshot.read(path)[0].files
    except snapshot.DamagedCheckpoint:
        return None
    return None if files is None else files.path


def surplus(directory: Path, keep: Keep) -> list[Path]:
    """What to remove from a trial that is not running: other and damaged checkpoints, leftovers of killed writers.

    If ``keep`` is "best" and there is no best checkpoint, because no report came at the step of a save, "last" is kept.

    Raises:
        OSError: The directory cannot be read.
    """
    try:
        with _opened(directory) as opened:
            return [directory / name for name in _surplus(opened, directory, keep)]
    except FileNotFoundError:
        return []


def _surplus(opened: int, directory: Path, keep: Keep) -> list[str]:
    names, found = kept(keep, best=find(directory, "best") is not None), os.listdir(opened)
    checkpoints = [name for name in found if Path(name).stem in names and Path(name).suffix in SUFFIXES]
    stays = {*checkpoints, *places(directory, checkpoints)}
    return sorted(set(found) - stays)  # a checkpoint before its place, so that a kill leaves none without its files


def places(directory: Path, checkpoints: Iterable[str]) -> Collection[str]:
    """The names of the directories with the files of these checkpoint files.

    Raises:
        OSError: A checkpoint cannot be read.
    """
    return {place for name in checkpoints if (place := snapshot.place_of(directory / name)) is not None}


def leftovers(directory: Path) -> list[Path]:
    """What killed writers have left in a trial's directory of checkpoints: nobody would read it again.

    Raises:
        OSError: The directory or a checkpoint cannot be read.
    """
    found = list(directory.iterdir())
    used = places(directory, (path.name for path in found if path.suffix in SUFFIXES))
    hidden = [path for path in found if path.name.startswith(".") and not path.is_dir()]
    return hidden + [path for path in found if is_place(path.name) and path.name not in used]


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    """A descriptor of a trial's directory, where neither it nor the one above is a symbolic link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        above = os.open(directory.parent, flags)
        try:
            opened = os.open(directory.name, flags, dir_fd=above)
        finally:
            os.close(above)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR) and (directory.is_symlink() or directory.parent.is_symlink()):
            raise OSError(errno.ELOOP, "a symbolic link, through which nothing is removed", str(directory)) from error
        raise
    try:
        yield opened
    finally:
        os.close(opened)


def tidy(directory: Path, keep: Keep) -> None:
    """Remove the :func:`surplus`, and the directory if no checkpoint is left; a writer still active there gives up.

    Raises:
        OSError: A file cannot be removed, or the directory is a symbolic link.
    """
    give_up_at = time.monotonic() + PATIENCE_S
    with suppress(FileNotFoundError):  # nothing to remove
        with _opened(directory) as opened:
            while unwanted := _surplus(opened, directory, keep):
                for name in unwanted:
                    try:
                        if is_place(name):
                            remove(name, dir_fd=opened)
                        else:  # never a directory, which is no checkpoint of ours
                            os.unlink(name, dir_fd=opened)
                    except FileNotFoundError:
                        pass
                    except OSError as error:
                        if error.errno != errno.ENOTEMPTY or time.monotonic() > give_up_at:
                            raise
            if keep != "none" and os.listdir(opened):
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
            remove(hidden)
        raise
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
