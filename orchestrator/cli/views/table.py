"""Tables on stdout, laid out by rich: as wide as they like when piped, and on a terminal never cut inside a word."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.text import Text

from orchestrator.cli.formats import COLOURED, COLOURS, in_colour, width_of
from orchestrator.cli.views.fitting import packed, pairs
from orchestrator.cli.views.text import cell
from orchestrator.formatting import listed
from orchestrator.safe_text import printable

if TYPE_CHECKING:
    from rich.console import JustifyMethod

MOST_LINES = 4
"""The most lines of a cell; what does not fit is on `sweep show --trial`, in JSON and in CSV."""

GAP = 2

_UNIT = r"\d[\d.]* (?:min|[smhd])\b"
_PART = re.compile(rf"{_UNIT}(?: {_UNIT})*\S*|\d[\d,.]* \S+|\S+")
"""What stays together: a duration, a number and its unit, or a word."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?")


def as_table(rows: Sequence[Mapping[str, Any]], *, spare: Collection[str] = ()) -> str:
    """Aligned columns, numbers to the right; on a terminal, configurations and sentences take several lines.

    Args:
        rows: What stands in each row, by the names of the columns.
        spare: Columns that are left out of a terminal with too few columns for all, the first one first; then the
            last ones are, and named below the table.
    """
    if not rows:
        return ""
    limit = width_of(sys.stdout)
    columns = [_Column.of(name, [row[name] for row in rows]) for name in rows[0]]
    for name in spare:
        if sum(column.least + GAP for column in columns) - GAP > limit:
            columns = [column for column in columns if column.name != name]
    kept = _fitting(columns, limit)
    left_out = [column.name for column in columns[len(kept) :]]
    note = f"\nno room for {listed([printable(name) for name in left_out])}" if left_out else ""
    return _laid_out(kept, limit) + note


def aligned(rows: Sequence[Sequence[str | Text]], *, right: Collection[int] = (), indent: str = "") -> str:
    """Columns without names over them; on a terminal, the last one takes several lines.

    Args:
        rows: The cells of each row, as many in each.
        right: The columns that are aligned to the right, from 0.
        indent: What each line begins with.
    """
    if not rows:
        return ""
    last = len(rows[0]) - 1
    columns = []
    for at in range(last + 1):
        values = [row[at] for row in rows]
        cells = [_words(each) if at == last and isinstance(each, str) else [_text(each)] for each in values]
        columns.append(_Column(name="", header=[], cells=cells, right=at in right))
    drawn = _laid_out(columns, width_of(sys.stdout) - len(indent))
    return "\n".join(f"{indent}{line}" for line in drawn.splitlines())


def config_block(config: Mapping[str, Any], indent: str = "  ") -> str:
    """A configuration on as many lines as it takes, and on one if it is piped."""
    lines = packed(pairs(config), width_of(sys.stdout) - len(indent), sys.maxsize)
    return "\n".join(f"{indent}{line.plain}" for line in lines)


@dataclass(frozen=True, kw_only=True)
class _Column:
    """A column, each of its cells as the parts that stay together."""

    name: str
    header: Sequence[Text]
    cells: Sequence[Sequence[Text]]
    right: bool

    @classmethod
    def of(cls, name: str, values: Sequence[Any]) -> _Column:
        """A column of values below its name."""
        cells = [_parts(name, value) for value in values]
        shown = printable(name)
        header = [Text(shown)] if all(len(parts) == 1 for parts in cells) else [Text(word) for word in shown.split(" ")]
        right = any(map(_is_number, values)) or all(each is None or _is_written_number(each) for each in values)
        return cls(name=name, header=header, cells=cells, right=right)

    @property
    def least(self) -> int:
        """The width below which a part would be cut."""
        return max((part.cell_len for parts in (self.header, *self.cells) for part in parts), default=0)

    @property
    def most(self) -> int:
        """The width beyond which nothing is gained."""
        return max(Text(" ").join(parts).cell_len for parts in (self.header, *self.cells))


def _fitting(columns: Sequence[_Column], limit: int) -> Sequence[_Column]:
    """The first columns, as many as fit without a cut inside a part, and at least one."""
    width, kept = -GAP, 0
    for column in columns:
        width += column.least + GAP
        if width > limit:
            break
        kept += 1
    return columns[: max(1, kept)]


def _laid_out(columns: Sequence[_Column], limit: int) -> str:
    from rich.console import Console
    from rich.table import Table

    widths = _widths(columns, limit)
    named = any(column.header for column in columns)
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold", show_header=named)
    for column, width in zip(columns, widths, strict=True):
        justify: JustifyMethod = "right" if column.right else "left"
        table.add_column(_cell(column.header, width), justify=justify, width=width, no_wrap=True)
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(_cell(parts, width) for parts, width in zip(cells, widths, strict=True)))
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


def _cell(parts: Sequence[Text], width: int) -> Text:
    return Text("\n").join(packed(parts, width, MOST_LINES))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_written_number(value: object) -> bool:
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


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
    return _words(text)


def _text(value: str | Text) -> Text:
    return Text(printable(value)) if isinstance(value, str) else value


def _words(text: str) -> list[Text]:
    return [Text(printable(part)) for part in _PART.findall(text)] or [Text()]


def _widths(columns: Sequence[_Column], limit: int) -> list[int]:
    """As wide as the cells want; where that is too wide, the widest that can take several lines gives way."""
    leasts, widths = [column.least for column in columns], [column.most for column in columns]
    excess = sum(widths) + GAP * (len(widths) - 1) - limit
    while excess > 0:
        able = [at for at in range(len(columns)) if widths[at] > leasts[at]]
        if not able:
            break
        widest = max(able, key=lambda at: widths[at])
        widths[widest] -= 1
        excess -= 1
    return widths
