"""Chooses the range that an axis shows, and whether it is logarithmic."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from orchestrator.analysis.report.data import Scale

SPREAD = 50.0
"""Positive values get a log scale if their middle 90% span more than this factor."""

LARGEST = 1e300
"""Larger numbers count as infinite, as their differences overflow; positive numbers below its inverse, as zero."""

FAR = 3.0
"""Bad values further from the median than this many interquartile ranges are left out."""


def scale(values: Iterable[float], mode: Literal["min", "max", "either"] | None = None) -> Scale | None:
    """A scale for these values; None if none is finite.

    Args:
        values: The values to draw.
        mode: Which end is good and therefore always shown. The other end excludes outliers, so that a few hopeless
            trials do not squeeze all others together. "either": unknown, both ends exclude outliers. None: both ends
            are shown in full.
    """
    finite = sorted(value for value in values if abs(value) <= LARGEST)  # which NaN is not
    if not finite:
        return None
    log = finite[0] > 1 / LARGEST and _at(finite, 0.95) > SPREAD * _at(finite, 0.05)
    shown = [math.log10(value) for value in finite] if log else finite
    low, high = _ends(shown, mode)
    margin = 0.03 * (high - low) or (0.5 if log else 0.05 * abs(high) or 1.0)
    if log:
        low, high = 10 ** max(low - margin, -307), 10 ** min(high + margin, 308)
    else:
        low, high = max(low - margin, 0.0) if low >= 0 else low - margin, high + margin
    return Scale(low=low, high=high, log=log, beyond=sum(not low <= value <= high for value in finite))


def _ends(ordered: list[float], mode: Literal["min", "max", "either"] | None) -> tuple[float, float]:
    middle, width = _at(ordered, 0.5), _at(ordered, 0.75) - _at(ordered, 0.25)
    near = [value for value in ordered if abs(value - middle) <= FAR * width]
    if mode is None or not width:
        near = ordered
    return (ordered if mode == "min" else near)[0], (ordered if mode == "max" else near)[-1]


def _at(ordered: list[float], share: float) -> float:
    return ordered[round(share * (len(ordered) - 1))]
