"""A directory for what ends with this process: Ray's session, sockets, Ray Tune's own state.

Its path is short, because that of a socket may have some 100 bytes, of which Ray takes 68. Nobody else can enter it. It
is locked while a process needs it, so that the next process of the same user removes what a kill has left behind.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterError

PREFIX = "sweep-"
MARK = ".scratch-of-sweep"
"""A file in each of these directories, by which they are told from others of the same prefix."""

BY_RAY = len("/ray/session_2026-01-31_23-59-59_123456_1234567/sockets/plasma_store")
LONGEST = (103 if sys.platform == "darwin" else 107) - BY_RAY
"""Bytes that the path of such a directory may have."""


class NoScratchError(ClusterError):
    """No directory for temporary files can be used."""


@dataclass(frozen=True, kw_only=True)
class Scratch:
    """A directory of this process, and the descriptor that holds its lock: who inherits it needs the directory too."""

    path: Path
    lock: int


@contextmanager
def scratch(*, kept_after: tuple[type[BaseException], ...] = ()) -> Iterator[Scratch]:
    """Make a directory of this process, and remove it afterwards; remove what ended processes have left behind.

    Args:
        kept_after: After such an error the directory stays, for whoever reads the logs in it, until the next call.

    Raises:
        NoScratchError: There is no place for it.
    """
    places = _places()
    for place in places:
        _remove_abandoned(place)
    made, kept = _made(places), False
    try:
        yield made
    except kept_after:
        kept = True
        raise
    finally:
        if not kept:
            shutil.rmtree(made.path, ignore_errors=True)
        os.close(made.lock)


def _places() -> list[Path]:
    """Where to make one: as Ray, then as Python, then as the system has it."""
    named = [os.environ.get("RAY_TMPDIR"), os.environ.get("TMPDIR")]
    with suppress(OSError):  # in no directory of temporary files a file can be written
        named.append(tempfile.gettempdir())
    return list(dict.fromkeys(Path(os.path.abspath(each)) for each in [*named, "/tmp", "/var/tmp"] if each))


def _made(places: list[Path]) -> Scratch:
    refused: list[str] = []
    for place in places:
        if (length := len(os.fsencode(place / f"{PREFIX}12345678"))) > LONGEST:
            refused.append(f"{place} is {length - LONGEST} bytes too long for Ray's sockets")
            continue
        try:
            return _made_in(place)
        except OSError as error:
            refused.append(f"{place}: {error.strerror}")
    raise NoScratchError(
        f"no directory for temporary files can be used: {'; '.join(refused)}; set TMPDIR to one that can be written to"
    )


def _made_in(place: Path) -> Scratch:
    """Make one, which counts as one of ours, and so as one to remove, only once it is locked."""
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            with suppress(OSError):  # on a file system without locks; then nobody gets one to remove it, either
                fcntl.flock(lock, fcntl.LOCK_EX)
            (path / MARK).write_bytes(
                b"Of a running sweep. Once that has ended, the next launch removes this directory.\n"
            )
        except BaseException:
            os.close(lock)
            raise
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    return Scratch(path=path, lock=lock)


def _remove_abandoned(place: Path) -> None:
    """Remove this user's directories in a place that no living process has locked."""
    with suppress(OSError):
        for path in place.glob(f"{PREFIX}*"):
            with suppress(OSError):
                _remove_if_abandoned(path)


def _remove_if_abandoned(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if os.fstat(directory).st_uid != os.geteuid():
            return
        if not stat.S_ISREG(os.stat(MARK, dir_fd=directory, follow_symlinks=False).st_mode):
            return
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(directory)
