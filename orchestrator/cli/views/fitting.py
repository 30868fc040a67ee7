"""Text made to fit a width without a cut inside a word, a number or a ``name=value`` pair."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import chop_cells
from rich.measure import Measurement
from rich.text import Text

from orchestrator.cli.views.text import config_line
from orchestrator.safe_text import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

MORE = "…"


def words(text: str, style: str = "") -> list[Text]:
    """The words of a text, each a part for :func:`fitted` or :func:`packed`."""
    return [Text(printable(word), style) for word in text.split()]


def pairs(config: Mapping[str, Any], style: str = "") -> list[Text]:
    """A configuration as parts: ``lr=0.01``, ``sizes=[8, 16]``."""
    return [Text(printable(config_line({name: value})), style) for name, value in config.items()]


def fitted(parts: Iterable[Text], width: int, gap: str = "  ") -> Text:
    """The parts on one line; from the first one that does not fit, they are left out."""
    line: list[Text] = []
    for part in parts:
        if _length([*line, part], gap) > width:
            break
        line.append(part)
    return Text(gap).join(line)


def packed(parts: Iterable[Text], width: int, lines: int = 1, gap: str = " ") -> list[Text]:
    """The parts on so many lines at most; an ellipsis says that some did not fit.

    A part that is wider than a whole line is the only one that is ever cut.

    Args:
        parts: What stays together.
        width: Columns of a line.
        lines: The most lines.
        gap: What stands between two parts.
    """
    width, more = max(1, width), Text(MORE)
    filled: list[list[Text]] = [[]]
    unfinished: list[Text] = []  # pieces of a part that goes on in the next line
    for part in parts:
        pieces = _folded(part, width)
        unfinished += pieces[:-1]
        for piece in pieces:
            if filled[-1] and _length([*filled[-1], piece], gap) > width:
                filled.append([])
            filled[-1].append(piece)
    if len(filled) > lines:
        filled = filled[:lines]
        last = filled[-1]
        while len(last) > 1 and _length([*last, more], gap) > width:
            last.pop()
        if any(last[-1] is piece for piece in unfinished):
            cut = last[-1].copy()
            cut.truncate(width - 1)
            last[-1] = Text.assemble(cut, more)
        elif _length([*last, more], gap) <= width:
            last.append(more)
    return [Text(gap).join(line) for line in filled]


class Flow:
    """Parts that fill as many lines as the width at hand takes; for rich."""

    def __init__(self, parts: Iterable[Text], lines: int = sys.maxsize, gap: str = " ") -> None:
        self._parts = list(parts)
        self._lines = lines
        self._gap = gap

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from packed(self._parts, options.max_width, self._lines, self._gap)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        least = max((part.cell_len for part in self._parts), default=0)
        return Measurement(least, max(least, _length(self._parts, self._gap))).with_maximum(options.max_width)


class Columns:
    """Rows below the names of their columns, of which the last are left out where there is no room; for rich."""

    def __init__(self, rows: Sequence[Mapping[str, str]], *, left: Collection[str] = ()) -> None:
        self._rows = rows
        self._left = left  # columns that are aligned to the left

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.table import Table

        table, room = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold"), options.max_width
        shown: list[str] = []
        for name in self._rows[0]:
            room -= self._width(name)
            if room < 0 and shown:
                break
            room -= 2
            shown.append(name)
            table.add_column(name, justify="left" if name in self._left else "right", no_wrap=True)
        for row in self._rows:
            table.add_row(*(row[name] for name in shown))
        yield table

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        widths = [self._width(name) for name in self._rows[0]]
        return Measurement(widths[0], sum(widths) + 2 * (len(widths) - 1)).with_maximum(options.max_width)

    def _width(self, name: str) -> int:
        return max(Text(text).cell_len for text in (name, *(row[name] for row in self._rows)))


def _length(parts: Sequence[Text], gap: str) -> int:
    return sum(part.cell_len for part in parts) + len(gap) * (len(parts) - 1)


def _folded(part: Text, width: int) -> list[Text]:
    """The part, or the pieces of one that is wider than a line."""
    if part.cell_len <= width:
        return [part]
    ends, at = [], 0
    for piece in chop_cells(part.plain, width)[:-1]:
        at += len(piece)
        ends.append(at)
    return list(part.divide(ends))
