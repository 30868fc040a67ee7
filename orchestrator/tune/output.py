"""Sends what a trial prints to its own log file, also what C code and child processes print."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def captured(log: Path) -> Iterator[None]:
    """While this is open, file descriptors 1 and 2 of the process lead to the log. An empty log is removed.

    One trial runs in a process at a time, so the process's descriptors are the trial's. Appends, because a further
    attempt continues the log.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    saved = os.dup(1), os.dup(2)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        yield
    finally:
        with suppress(OSError, ValueError):  # the trial may have closed them
            sys.stdout.flush()
            sys.stderr.flush()
        for descriptor, original in zip((1, 2), saved, strict=True):
            os.dup2(original, descriptor)
            os.close(original)
        if os.fstat(file).st_size == 0:
            with suppress(FileNotFoundError):
                log.unlink()
        os.close(file)
