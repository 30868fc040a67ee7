"""Curves and progress bars in a line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.text import Text

LEVELS = "▁▂▃▄▅▆▇█"
WILD = "×"
DECADES = 2.0
"""Positive values that span more powers of ten than this are drawn by their logarithm."""


def progress_bar(share: float, width: int) -> Text:
    """A bar of that width, of which a share is done."""
    full = round(width * min(1.0, max(0.0, share)))
    return Text.assemble(("━" * full, "green"), ("━" * (width - full), "bright_black"))


def sparkline(curve: Sequence[tuple[int, float]], width: int, length: int) -> str:
    """The values of a curve as bars, on a scale of its own: the least is the lowest, the greatest the highest.

    A step has its places whatever the curve's own length is, so that curves below each other can be compared, and a
    short one ends early. Of several steps in one place the last is drawn. What is not finite is drawn as ``×``.

    Args:
        curve: Steps, growing, and values.
        width: Places.
        length: The step that ends in the last place.
    """
    if not curve:
        return ""
    last = curve[-1][0]
    length = max(1, length, last)
    places = {max(0, step - 1) * width // length: value for step, value in curve}
    level = _Scale([value for value in places.values() if math.isfinite(value)])
    drawn, before = "", " "
    for place in range(max(max(places) + 1, last * width // length)):
        if place in places:
            value = places[place]
            before = LEVELS[level(value)] if math.isfinite(value) else WILD
        drawn += before
    return drawn


class _Scale:
    """Which level a value has between the least and the greatest of these."""

    def __init__(self, values: Sequence[float]) -> None:
        low, high = min(values, default=0.0), max(values, default=0.0)
        self._log = low > 0 and math.log10(high) - math.log10(low) > DECADES
        self._low, self._high = self._scaled(low), self._scaled(high)

    def __call__(self, value: float) -> int:
        extent = self._high - self._low
        if not 0 < extent < math.inf:
            return (len(LEVELS) - 1) // 2
        return round((self._scaled(value) - self._low) / extent * (len(LEVELS) - 1))

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self._log else value
