"""Verdicts: what the curves of a trial show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What the curves show. If several apply, they are sorted in this order."""

    DIVERGED = "diverged"
    LR_TOO_HIGH = "lr_too_high"
    OVERFITTING = "overfitting"
    WORSENED = "worsened"
    LR_TOO_LOW = "lr_too_low"
    UNDERFITTING = "underfitting"
    STILL_IMPROVING = "still_improving"
    PLATEAUED = "plateaued"
    HEALTHY = "healthy"
    TOO_SHORT = "too_short"  # too few reports to classify the curve

    @property
    def words(self) -> str:
        """The kind in words."""
        return _WORDS.get(self, self.value.replace("_", " "))


_WORDS = {
    Kind.LR_TOO_HIGH: "learning rate too high",
    Kind.LR_TOO_LOW: "learning rate too low",
    Kind.TOO_SHORT: "not enough steps",
    Kind.WORSENED: "worse again",
}

FAULTS = frozenset(
    {Kind.DIVERGED, Kind.LR_TOO_HIGH, Kind.OVERFITTING, Kind.WORSENED, Kind.LR_TOO_LOW, Kind.UNDERFITTING}
)
"""Kinds that call for a change to the configuration. The others describe how a healthy training ended."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One diagnosis of a trial, with the numbers behind it."""

    kind: Kind
    sentence: str  # with the numbers
    numbers: Mapping[str, float] = field(default_factory=dict)
