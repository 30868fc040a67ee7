"""Which part of the number line a drawing shows, and whether in powers of ten."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from orchestrator.analysis.report.data import Scale

SPREAD = 50.0
"""Positive values are drawn in powers of ten if the middle nine tenths of them span more than this factor."""

LARGEST = 1e300
"""Larger numbers are taken for infinite, as their differences are; positive ones below its inverse, for zero."""

FAR = 3.0
"""Bad values are left outside if they are further from the median than this many times the middle half's width."""


def scale(values: Iterable[float], mode: Literal["min", "max", "either"] | None = None) -> Scale | None:
    """A scale for these values; None if none is finite.

    Args:
        values: Those that are drawn.
        mode: Which end is the good one: it is always shown. The other ends where values get lonely, so that a few
            hopeless trials do not press all others into a line; "either": which is good is not known, so both do.
            None: both ends are shown.
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
