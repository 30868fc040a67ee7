"""Makes text from data safe to print: no character of it is a command to a terminal or reorders what others say.

Error messages, choices, names and logs come from data. All that the command line prints goes through here.
"""

from __future__ import annotations

import re

_UNSAFE = (
    "\x00-\x1f\x7f-\x9f"  # C0 and C1: escape sequences, the bell, a carriage return
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # change the direction of what follows
    "\u2028\u2029\xad\ufeff\ufffe\uffff\U000e0000-\U000e007f"  # break lines, or are not seen
    "\ud800-\udfff"  # cannot be encoded
)
UNSAFE = re.compile(f"[{_UNSAFE}]")
_UNSAFE_BUT_LAYOUT = re.compile(f"(?![\t\n])[{_UNSAFE}]")
_UNSAFE_IN_A_LOG = re.compile(f"(?![\t\n\r\b])[{_UNSAFE}]")

_STYLE = r"(?:[012]|22|39|3[1-7]|9[0-7])"
_OUR_STYLE = re.compile(rf"\x1b\[{_STYLE}(?:;{_STYLE})*m")
"""The styles that we print: bright, faint and colours of the foreground. None hides text."""

_COMMANDS = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])")
"""Colours and other commands to a terminal: ECMA-48, 5.4 and 5.6."""

INSTEAD = "·"


def printable(text: str) -> str:
    """The text with a dot for every unsafe character, line breaks and tabs among them."""
    return UNSAFE.sub(INSTEAD, text)


def for_output(text: str, *, styled: bool) -> str:
    """Lines that are ready to be printed: a dot for every unsafe character, our own styles kept or removed."""
    return _around_styles(text, _UNSAFE_BUT_LAYOUT, styled=styled)


def log_for_output(text: str, *, styled: bool) -> str:
    """A part of a log: bars that are drawn over themselves and colours stay, other commands are removed."""
    text = _COMMANDS.sub(lambda found: found[0] if _OUR_STYLE.fullmatch(found[0]) else "", text)
    return _around_styles(text, _UNSAFE_IN_A_LOG, styled=styled)


def log_line(text: str) -> str:
    """What a terminal would show of a line in the end, in one style: of a bar drawn over itself, the last one."""
    text = _COMMANDS.sub("", text).rstrip("\r").expandtabs()
    return printable(text.rpartition("\r")[2])


def escaped(json: str) -> str:
    """JSON with the unsafe characters of its strings as escapes, by which it stays the same for a reader."""
    return _UNSAFE_BUT_LAYOUT.sub(_json_escape, json)


def _json_escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _around_styles(text: str, unsafe: re.Pattern[str], *, styled: bool) -> str:
    kept = _OUR_STYLE.findall(text) if styled else []
    parts = [unsafe.sub(INSTEAD, part) for part in _OUR_STYLE.split(text)]
    return "".join(part for pair in zip(parts, [*kept, *[""] * len(parts)], strict=False) for part in pair)
