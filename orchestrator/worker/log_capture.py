"""Redirects a trial's output to its log file, including the output of C code and child processes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def heading(attempt: int) -> str:
    """The line that separates the output of a further attempt from that of the attempts before."""
    return f"attempt {attempt}:"


@dataclass(frozen=True, kw_only=True)
class Log:
    """A trial's log while its output is captured. What is in ``sys.stderr`` may be the trial's own, and broken."""

    descriptor: int
    streams: tuple[TextIO, TextIO]  # ours, which the trial finds as sys.stdout and sys.stderr

    def write(self, text: str) -> None:
        """Append a text, after what the trial has printed."""
        self.flush()
        with suppress(OSError):
            os.write(self.descriptor, text.encode(errors="backslashreplace"))

    def flush(self) -> None:
        """Write what the trial has printed, to whatever stream."""
        _flush(sys.stdout, sys.stderr, *self.streams)


@contextmanager
def captured(log: Path, attempt: int = 1) -> Iterator[Log]:
    """While the context is open, file descriptors 1 and 2 of the process write to the log.

    An attempt that prints nothing leaves nothing: its heading is taken back, and an empty log is removed.

    One trial runs in a process at a time, so the process's descriptors are the trial's. The log is appended to, because
    a further attempt continues it. A failing disk is not an error: output is lost meanwhile, and if the log cannot be
    opened, the output goes where the process's own output goes.

    Yields:
        The open log.
    """
    _flush(sys.stdout, sys.stderr)
    saved, streams = (os.dup(1), os.dup(2)), (sys.stdout, sys.stderr)
    file = _opened(log)
    before = os.fstat(file).st_size
    os.dup2(file, 1)
    os.dup2(file, 2)
    opened = Log(descriptor=file, streams=(_stream(1), _stream(2)))
    sys.stdout, sys.stderr = opened.streams
    if attempt > 1:
        print(heading(attempt), file=sys.stderr)
    begun = os.fstat(file).st_size
    try:
        yield opened
    finally:
        opened.flush()
        sys.stdout, sys.stderr = streams
        for descriptor, original in zip((1, 2), saved, strict=True):
            os.dup2(original, descriptor)
            os.close(original)
        os.close(file)
        with suppress(OSError):
            if log.stat().st_size == begun:
                os.truncate(log, before)
            if log.stat().st_size == 0:
                log.unlink()


def _opened(log: Path) -> int:
    try:
        return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        print(f"cannot write {log}: {error.strerror}", file=sys.stderr, flush=True)
        return os.dup(2)


def _flush(*streams: TextIO | None) -> None:
    for stream in streams:
        with suppress(Exception):  # the trial may have closed it, or replaced it by an object without flush
            stream.flush()  # type: ignore[union-attr]


def _stream(descriptor: int) -> io.TextIOWrapper:
    buffer = io.BufferedWriter(_Forgiving(descriptor, "w", closefd=False))
    return io.TextIOWrapper(buffer, encoding="utf-8", errors="backslashreplace", line_buffering=True)


class _Forgiving(io.FileIO):
    """Drops output that cannot be written: a full disk must not fail a trial that prints."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data) or 0
        except OSError:
            return memoryview(data).nbytes
