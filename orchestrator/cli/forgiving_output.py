"""Output that never ends a sweep: what cannot be printed is lost, and the records do not depend on a reader.

The reader may have gone (``sweep launch … | head -1``, a terminal that was closed), or the disk that the output goes to
may be full. What is printed after that appears again.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO


class ForgivingStream(io.TextIOBase):
    """A text stream in front of another, which writes at once, so that nothing that failed is left to be flushed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._descriptor: int | None = None
        with suppress(OSError, ValueError, AttributeError):  # replaced by a test or a notebook
            self._descriptor = stream.fileno()

    def write(self, text: str) -> int:
        """Write the text, as far as that is possible."""
        with suppress(OSError, ValueError):
            self.write_all(text)
        return len(text)

    def write_all(self, text: str) -> None:
        """Write the text.

        Raises:
            OSError: It cannot be written.
            ValueError: The stream is closed.
        """
        if self._descriptor is None:
            self._stream.write(text)
            self._stream.flush()
            return
        data = memoryview(text.encode(self.encoding, "backslashreplace"))
        while data:
            data = data[os.write(self._descriptor, data) :]

    def flush(self) -> None:
        """Does nothing: all is written."""

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        with suppress(OSError, ValueError):
            return self._stream.isatty()
        return False

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._stream, "encoding", None) or "utf-8"

    @property
    def buffer(self) -> Any:
        """For bytes; these are not forgiven."""
        return self._stream.buffer


@contextmanager
def forgiving_output() -> Iterator[None]:
    """While this is open, stdout and stderr lose what they cannot print."""
    with ExitStack() as stack:
        for stream, redirect in ((sys.stdout, redirect_stdout), (sys.stderr, redirect_stderr)):
            with suppress(OSError, ValueError):
                stream.flush()
            stack.enter_context(redirect(ForgivingStream(stream)))
        yield


def open_standard_streams() -> None:
    """Open what was closed of stdin, stdout and stderr, or the next file that is opened would take its place."""
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, mode, closefd=False))  # noqa: SIM115
