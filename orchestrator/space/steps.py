"""Evenly spaced numbers as a lazy sequence: a billion numbers need no more memory than two.

The arithmetic is decimal, so that the third step of 0.1 is 0.3 and not 0.30000000000000004.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, overload


@dataclass(frozen=True, slots=True)
class Steps(Sequence[Any]):
    """``first, first + step, ...``: ``length`` numbers, ints if ``integer``, else floats."""

    first: Decimal
    step: Decimal
    length: int
    integer: bool

    @classmethod
    def counted_from(cls, low: float, high: float, step: float, *, integer: bool) -> Steps:
        """``low, low + step, ...`` up to ``high``."""
        first, stride = exact(low), exact(step)
        return cls(first, stride, math.floor((exact(high) - first) / stride) + 1, integer)

    @classmethod
    def multiples(cls, low: float, high: float, step: float, *, integer: bool) -> Steps:
        """The multiples of ``step`` within ``[low, high]``; possibly empty."""
        stride = exact(step)
        lowest, highest = math.ceil(exact(low) / stride), math.floor(exact(high) / stride)
        return cls(lowest * stride, stride, max(0, highest - lowest + 1), integer)

    def nearest(self, value: float) -> int | float:
        """The number closest to ``value``."""
        return self._at(self.index_near(value))

    def index_near(self, value: float) -> int:
        """The index of the number closest to ``value``."""
        index = (exact(value) - self.first) / self.step
        return max(0, min(self.length - 1, int(index.to_integral_value(ROUND_HALF_EVEN))))

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> int | float: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return tuple(self._at(each) for each in range(self.length)[index])
        return self._at(range(self.length)[index])

    def _at(self, index: int) -> int | float:
        value = self.first + index * self.step
        return int(value) if self.integer else float(value)


def nearest_multiple(value: float, step: float) -> float:
    """The multiple of ``step`` closest to ``value``."""
    stride = exact(step)
    return float((exact(value) / stride).to_integral_value(ROUND_HALF_EVEN) * stride)


def exact(value: float) -> Decimal:
    """The decimal number as written, not the binary fraction that approximates it."""
    return Decimal(repr(value))
