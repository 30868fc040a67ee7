"""Breaks lines that are wider than the terminal between words, where the terminal would break them anywhere."""

from __future__ import annotations

import re

INDENT = "  "
"""Before the lines in which a line goes on, beyond its own indentation."""

_STYLE = re.compile(r"\x1b\[[\d;]*m")
_WORD = re.compile(r"( *)([^ ]+)")


def wrapped(text: str, width: int) -> str:
    """The text in lines of at most so many columns; a word that is wider has a line of its own.

    Args:
        text: Lines, which may be styled.
        width: Columns of the terminal.
    """
    return "\n".join(_wrapped(line, width) for line in text.split("\n")) if 2 * len(text) > width else text


def _wrapped(line: str, width: int) -> str:
    if len(line) <= width // 2 or _length(line) <= width:
        return line
    words = _WORD.findall(line)
    lines, length = [""], 0
    for gap, word in words:
        room = _length(word)
        if lines[-1].strip() and length + len(gap) + room > width:
            gap = words[0][0] + INDENT if len(words[0][0]) + len(INDENT) + room <= width else ""
            lines.append("")
            length = 0
        lines[-1] += gap + word
        length += len(gap) + room
    return "\n".join(lines)


def _length(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(_STYLE.sub("", text))
