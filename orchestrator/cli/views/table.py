"""Tables on stdout, laid out by rich: as wide as they like when piped, and on a terminal never cut inside a word."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rich.text import Text

from orchestrator.cli.formats import COLOURED, COLOURS, in_colour, width_of_stdout
from orchestrator.cli.views.fitting import packed, pairs, printable
from orchestrator.cli.views.text import cell

MOST_LINES = 4
"""The most lines of a cell; what does not fit is on `sweep show --trial`, in JSON and in CSV."""

GAP = 2

_UNIT = r"\d[\d.]* (?:min|[smhd])\b"
_PART = re.compile(rf"{_UNIT}(?: {_UNIT})*\S*|\d[\d,.]* \S+|\S+")
"""What stays together: a duration, a number and its unit, or a word."""


def as_table(rows: Sequence[Mapping[str, Any]], *, spare: Collection[str] = ()) -> str:
    """Aligned columns, numbers to the right; on a terminal, configurations and sentences take several lines.

    Args:
        rows: What stands in each row, by the names of the columns.
        spare: Columns that are left out of a terminal with too few columns for all, the first one first.
    """
    if not rows:
        return ""
    from rich.console import Console
    from rich.table import Table

    limit = width_of_stdout()
    columns = [_Column(name, [row[name] for row in rows]) for name in rows[0]]
    for name in spare:
        if sum(column.least + GAP for column in columns) - GAP > limit:
            columns = [column for column in columns if column.name != name]
    widths = _widths(columns, limit)
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            column.lines(column.header, width), justify="right" if column.right else "left", width=width, no_wrap=True
        )
    for at in range(len(rows)):
        table.add_row(*(column.lines(column.cells[at], width) for column, width in zip(columns, widths, strict=True)))
    coloured = in_colour(sys.stdout)
    file = io.StringIO()
    console = Console(
        file=file,
        width=sum(widths) + GAP * len(widths),
        force_terminal=coloured,
        color_system="standard" if coloured else None,
        highlight=False,
    )
    console.print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def config_block(config: Mapping[str, Any], indent: str = "  ") -> str:
    """A configuration on as many lines as it takes, and on one if it is piped."""
    lines = packed(pairs(config), width_of_stdout() - len(indent), sys.maxsize)
    return "\n".join(f"{indent}{line.plain}" for line in lines)


class _Column:
    """A column, each of its cells as the parts that stay together.

    Attributes:
        least: The width below which a part would be cut.
        most: The width beyond which nothing is gained.
    """

    def __init__(self, name: str, values: Sequence[Any]) -> None:
        self.name = name
        self.right = any(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        self.header = [Text(name)]
        self.cells = [_parts(name, value) for value in values]
        if any(len(parts) > 1 for parts in self.cells):
            self.header = [Text(word) for word in name.split(" ")]
        drawn = [self.header, *self.cells]
        self.least = max(part.cell_len for parts in drawn for part in parts)
        self.most = max(Text(" ").join(parts).cell_len for parts in drawn)

    @staticmethod
    def lines(parts: Sequence[Text], width: int) -> Text:
        """A cell of that width."""
        return Text("\n").join(packed(parts, width, MOST_LINES))


def _parts(name: str, value: Any) -> list[Text]:
    if isinstance(value, Mapping):
        return pairs(value) or [Text()]
    text = printable(cell(value))
    if name in COLOURED:
        return [Text.assemble((text, COLOURS.get(text, "")))]
    if not isinstance(value, str):
        return [Text(text)]
    if text.startswith(" "):  # a name below another: the branch stays with it
        return [Text(text)]
    return [Text(part) for part in _PART.findall(text)] or [Text()]


def _widths(columns: Sequence[_Column], limit: int) -> list[int]:
    """As wide as the cells want; where that is too wide, the widest that can take several lines gives way."""
    widths = [column.most for column in columns]
    excess = sum(widths) + GAP * (len(widths) - 1) - limit
    while excess > 0:
        able = [at for at, column in enumerate(columns) if widths[at] > column.least]
        if not able:
            break
        widest = max(able, key=lambda at: widths[at])
        widths[widest] -= 1
        excess -= 1
    return widths
