"""Finds expressions without quotes; they need quotes because ``'a' == b``, ``*`` and ``[`` have a meaning in YAML.

Also works on text that is not valid YAML because of such an expression.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestrator.yaml.document import Path

_WHEN = re.compile(r"\bwhen:\s*(?P<text>\S.*?)\s*(?:,\s*\w+\s*:.*|}.*|\s#.*)?$")
_ITEM = re.compile(r"\s*-\s*(?P<text>\S.*?)\s*(?:\s#.*)?$")
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")


def is_expression(path: Path) -> bool:
    """Whether the value at this path is an expression."""
    match path:
        case ("space", _, *_, "when") | ("derived", str(), *_) | ("constraints", int()):
            return True
    return False


def quoted(text: str, path: Path) -> str:
    """The line with quotes."""
    return f"{'- ' if isinstance(path[-1], int) else f'{path[-1]}: '}{_in_quotes(text)}"


def unquoted_expression(lines: Sequence[str], index: int) -> str | None:
    """The line's expression with quotes; None if there is no expression, or it is quoted already."""
    if not 0 <= index < len(lines):
        return None
    line = lines[index]
    condition = _WHEN.search(line)
    item = _ITEM.match(line) if _under_constraints(lines, index) else None
    match = condition or item
    if match is None or _QUOTED.fullmatch(match["text"]):
        return None
    return ("when: " if condition else "- ") + _in_quotes(match["text"])


def _under_constraints(lines: Sequence[str], index: int) -> bool:
    for line in reversed(lines[:index]):
        if line.strip() and not line.lstrip().startswith(("-", "#")):
            return line.startswith("constraints:")
    return False


def _in_quotes(text: str) -> str:
    return '"' + text.replace('"', "'") + '"'
