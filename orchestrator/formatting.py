"""Formats numbers, durations, sizes and values for terminals, pages and specs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from orchestrator.safe_text import UNSAFE

_PLAIN_WORD = re.compile(r"(\.{0,2}/)*[A-Za-z_][\w./-]*(:[A-Za-z_][\w.]*)?", re.ASCII)
_NOT_PLAIN = frozenset(["true", "false", "null", "yes", "no", "on", "off", "y", "n"])


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 05 s``, ``2 h 10 min``, ``3 d 4 h``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def size(count: float) -> str:
    """Bytes: ``512 B``, ``1.2 kB``, ``3.4 MB``, ``56 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 9.95 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 trial``, ``2 trials``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def spread_of(values: Sequence[float], mode: Literal["min", "max"]) -> float:
    """How far the best quarter of results lie apart, at least the best two; 0 with fewer."""
    ranked = sorted(values, reverse=mode == "max")
    return abs(ranked[max(1, len(ranked) // 4)] - ranked[0]) if len(ranked) > 1 else 0.0


def to_spread(value: float, spread: float) -> str:
    """A number with the digits that tell results apart: to a hundredth of their spread, with two to six digits.

    Args:
        value: The number.
        spread: How far apart results lie that are compared with it; 0: unknown.
    """
    if not spread or not value:
        return f"{value:.4g}"
    digits = min(6, max(2, math.ceil(math.log10(abs(value) / spread)) + 2))
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e+" in text and abs(value) < 1e6 else text


def listed(words: Sequence[str], most: int = 5) -> str:
    """``a``, ``a and b``, ``a, b and c``, ``a, b, c, d and 7 others``."""
    if len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1} others"]
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def yaml(value: Any, *, quoted: bool = False) -> str:
    """A value as one line of YAML with every digit, which readers of YAML 1.1 and 1.2 understand alike.

    Args:
        value: Anything that JSON can hold.
        quoted: Whether to quote words that need no quotes.
    """
    match value:
        case Mapping():
            return "{" + ", ".join(f"{yaml(key)}: {yaml(each, quoted=quoted)}" for key, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(yaml(each, quoted=quoted) for each in value) + "]"
        case str() if not quoted and _PLAIN_WORD.fullmatch(value) and value.lower() not in _NOT_PLAIN:
            return value
        case str():
            text = json.dumps(value, ensure_ascii=False)
            return UNSAFE.sub(_yaml_escape, text)
        case float():
            text = repr(value)  # YAML 1.1 reads 1e-05 as a word
            return text.replace("e", ".0e") if "e" in text and "." not in text else text
    return json.dumps(value)


def _yaml_escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def shown(value: Any) -> str:
    """A value as messages show it, at most 60 characters long."""
    try:
        text = repr(value)
    except ValueError:  # an integer of thousands of digits
        return "a huge integer"
    return text if len(text) <= 60 else f"{text[:57]}..."
