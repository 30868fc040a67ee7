"""A record: the numbers that a program gives at once, by name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

Record = Mapping[str, float]
"""Numbers by name, the one that counts the steps among them. NaN and infinities are allowed."""


def flat(values: Mapping[str, Any]) -> Record:
    """The numbers in nested values, under names joined by ``/``: ``{"val": {"loss": 1}}`` has ``val/loss``.

    Texts, lists, nulls, true and false are no numbers, and left out.
    """
    return dict(_numbers(values, ""))


def _numbers(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{name}/")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{name}", _within_floats(value)


def _within_floats(value: float) -> float:
    """The number; infinity for an integer that is larger than all floats."""
    try:
        float(value)
    except OverflowError:
        return math.copysign(math.inf, 1 if value > 0 else -1)
    return value


def number_in(text: str | None) -> float | None:
    """The number that a text is, whole if it is written so; None if it is none."""
    text = (text or "").strip()
    for kind in (int, float):
        try:
            return _within_floats(kind(text))
        except ValueError:
            continue
    return None
