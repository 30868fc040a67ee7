"""The log of a trial as a screen shows it: its end, cut into lines, and what is added to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rich.cells import chop_cells

from orchestrator.safe_text import log_line

MOST = 1 << 20
"""Of a longer log, so many bytes at its end are read."""


class LogTail:
    """A log that is read on as it grows.

    Attributes:
        unfinished: The line that is being written.
    """

    def __init__(self, path: Path) -> None:
        self.unfinished = ""
        self._path = path
        self._at = max(0, _size(path) - MOST)
        self._open = b""

    def look(self) -> list[str]:
        """The lines that were finished since the last look."""
        data = b"".join(read_from(self._path, self._at))
        self._at += len(data)
        *ended, self._open = (self._open + data).split(b"\n")
        self.unfinished = log_line(self._open.decode(errors="replace"))
        return [log_line(line.decode(errors="replace")) for line in ended]


def read_from(log: Path, at: int) -> Iterator[bytes]:
    """The content of a log from an offset in bytes on; empty if there is no log yet."""
    with suppress(FileNotFoundError), log.open("rb") as file:
        file.seek(at)
        while data := file.read(2**20):
            yield data


def folded(lines: list[str], width: int) -> list[str]:
    """Lines of that width at most; longer ones become several."""
    return [part for line in lines for part in (chop_cells(line, max(1, width)) or [""])]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
