"""Why Ray does not start on this machine: what it may use too little of, and where its logs are.

Ray itself says "timed out", or nothing: a daemon that cannot open a file or get memory just ends.
"""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cluster.errors import ClusterError

LEAST_FILES = 64
"""Open files with which no Ray starts; it would take half a minute to say so."""
ENOUGH_FILES = 1024
ENOUGH_SPACE = 200 * 2**20
"""Bytes free on a disk with which lack of space is no reason."""


class RayStartError(ClusterError):
    """Ray does not start on this machine."""


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """While this is open, Ray starts, with its session in this directory.

    Raises:
        RayStartError: It does not start.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < LEAST_FILES:
        raise RayStartError(f"Ray cannot start: {_few_files(files)}; raise that with: ulimit -n {ENOUGH_FILES}")
    try:
        yield
    except Exception as error:
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        short = scarce(directory)
        likely = f"; likely because {' and '.join(short)}" if short else ""
        raise RayStartError(f"Ray does not start: {said}{likely}; its logs are in {_logs(directory)}") from error


def scarce(directory: Path) -> list[str]:
    """What this process may use little of, in phrases.

    Args:
        directory: Of Ray's session.
    """
    found = []
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < ENOUGH_FILES:
        found.append(_few_files(files))
    memory, _ = resource.getrlimit(resource.RLIMIT_AS)
    if memory != resource.RLIM_INFINITY:
        found.append(f"a process may have {memory / 1e9:.3g} GB of memory only (ulimit -v)")
    for place in (directory, Path("/dev/shm")):
        with suppress(OSError):
            if (free := shutil.disk_usage(place).free) < ENOUGH_SPACE:
                found.append(f"{place} has {free / 1e6:.0f} MB free only")
    return found


def _few_files(files: int) -> str:
    return f"a process may have {files} files open only (ulimit -n)"


def _logs(directory: Path) -> Path:
    sessions = sorted(each for each in directory.glob("ray/session_*/logs") if not os.path.islink(each.parent))
    return sessions[-1] if sessions else directory
