"""Sends what a trial prints to its own log file, also what C code and child processes print."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def heading(attempt: int) -> str:
    """Stands in the log before what a further attempt says: what stands before that is no word of its own."""
    return f"attempt {attempt}:"


@contextmanager
def captured(log: Path, attempt: int = 1) -> Iterator[int]:
    """While this is open, file descriptors 1 and 2 of the process lead to the log. An empty log is removed.

    One trial runs in a process at a time, so the process's descriptors are the trial's. Appends, because a further
    attempt continues the log. A disk that refuses is no error: what is printed meanwhile is lost, and where no log can
    be opened at all, it goes where the process's own output goes.

    Yields:
        A descriptor of the log.
    """
    _flush(sys.stdout, sys.stderr)
    saved, streams = (os.dup(1), os.dup(2)), (sys.stdout, sys.stderr)
    file = _opened(log)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stdout, sys.stderr = _stream(1), _stream(2)
    if attempt > 1:
        print(heading(attempt), file=sys.stderr)
    try:
        yield file
    finally:
        _flush(sys.stdout, sys.stderr)
        sys.stdout, sys.stderr = streams
        for descriptor, original in zip((1, 2), saved, strict=True):
            os.dup2(original, descriptor)
            os.close(original)
        os.close(file)
        with suppress(OSError):
            if log.stat().st_size == 0:
                log.unlink()


def _opened(log: Path) -> int:
    try:
        return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        print(f"cannot write {log}: {error.strerror}", file=sys.stderr, flush=True)
        return os.dup(2)


def _flush(*streams: TextIO) -> None:
    with suppress(OSError, ValueError):  # the trial may have closed them
        for stream in streams:
            stream.flush()


def _stream(descriptor: int) -> io.TextIOWrapper:
    buffer = io.BufferedWriter(_Forgiving(descriptor, "w", closefd=False))
    return io.TextIOWrapper(buffer, encoding="utf-8", errors="backslashreplace", line_buffering=True)


class _Forgiving(io.FileIO):
    """A print into a log on a full disk is no reason for a trial to fail."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data) or 0
        except OSError:
            return memoryview(data).nbytes
