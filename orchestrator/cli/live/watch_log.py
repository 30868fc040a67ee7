"""The log of a trial as a screen shows it: its end, cut into lines, and what is added to it."""

from __future__ import annotations

import re
from pathlib import Path

from rich.cells import chop_cells

from orchestrator.cli.commands.logs import read_from

MOST = 1 << 20
"""Of a longer log, so many bytes at its end are read."""

KEPT = 10_000
"""Lines that can be scrolled back to."""

_CODES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])")
"""Colours and other commands to a terminal: ECMA-48, 5.4 and 5.6."""


class Log:
    """A log that is open on the screen.

    Attributes:
        lines: The last ones; the one that is being written is among them.
    """

    def __init__(self, path: Path) -> None:
        self.lines: list[str] = []
        self._path = path
        self._at = max(0, _size(path) - MOST)
        self._open = b""  # the line that is being written

    def look(self) -> int:
        """Read what was added; by how many lines the log has grown."""
        before = len(self.lines)
        data = b"".join(read_from(self._path, self._at))
        if not data:
            return 0
        self._at += len(data)
        if self._open:
            self.lines.pop()
        *ended, self._open = (self._open + data).split(b"\n")
        self.lines += [_line(line) for line in ended]
        if self._open:
            self.lines.append(_line(self._open))
        grown = len(self.lines) - before
        del self.lines[:-KEPT]
        return grown


def folded(lines: list[str], width: int) -> list[str]:
    """Lines of that width at most; longer ones become several."""
    return [part for line in lines for part in (chop_cells(line, max(1, width)) or [""])]


def _line(raw: bytes) -> str:
    """What a terminal would show in the end: of a bar that is drawn over itself, the last one."""
    text = _CODES.sub("", raw.decode(errors="replace")).rstrip("\r").expandtabs()
    return text.rpartition("\r")[2]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
