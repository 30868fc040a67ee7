"""Follows a text file that a program writes: gives its new lines, however often it is asked."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator

from trainables.command.lines import Lines

_CHUNK = 1 << 20  # bytes


def newest(path: str) -> str | None:
    """The newest file of a path with ``*``; None if there is none yet."""
    if not glob.has_magic(path):
        return path if os.path.isfile(path) else None
    files = [each for each in glob.glob(path, recursive=True) if os.path.isfile(each)]
    return max(files, key=os.path.getmtime, default=None)


class GrowingFile:
    """A text file that may not be there yet. If it is written anew, its lines are given again.

    Attributes:
        begun: How often the file was read from its beginning.
    """

    def __init__(self, path: str) -> None:
        self.begun = 0
        self._path = path
        self._read: tuple[str, int] | None = None  # the file that is read, and its number on the disk
        self._position = 0
        self._head = b""  # how it began when it was read
        self._lines = Lines()

    def lines(self, *, last: bool = False) -> Iterator[str]:
        """The lines that are complete by now; with ``last`` also one that has no end."""
        path = newest(self._path)
        if path is None:
            return
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            if self._read != (path, status.st_ino) or self._rewritten(file.read(len(self._head)), status.st_size):
                self.begun += 1
                self._read, self._position, self._head, self._lines = (path, status.st_ino), 0, b"", Lines()
            file.seek(self._position)
            while data := file.read(_CHUNK):
                self._position += len(data)
                self._head += data[: 1000 - len(self._head)] if len(self._head) < 1000 else b""
                yield from self._lines.cut(self._lines.decoded(data))
        if last:
            yield from self._lines.cut(self._lines.decoded(b"", last=True), last=True)

    def _rewritten(self, head: bytes, size: int) -> bool:
        return size < self._position or head != self._head
