"""What is said of a trial's curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What the curves show; of several the first one in this order comes first."""

    DIVERGED = "diverged"
    LR_TOO_HIGH = "lr_too_high"
    OVERFITTING = "overfitting"
    LR_TOO_LOW = "lr_too_low"
    UNDERFITTING = "underfitting"
    STILL_IMPROVING = "still_improving"
    PLATEAUED = "plateaued"
    HEALTHY = "healthy"
    TOO_SHORT = "too_short"  # no verdict rather than a wrong one

    @property
    def words(self) -> str:
        """As people read it."""
        return _WORDS.get(self, self.value.replace("_", " "))


_WORDS = {
    Kind.LR_TOO_HIGH: "learning rate too high",
    Kind.LR_TOO_LOW: "learning rate too low",
    Kind.TOO_SHORT: "too short to say",
}

FAULTS = frozenset({Kind.DIVERGED, Kind.LR_TOO_HIGH, Kind.OVERFITTING, Kind.LR_TOO_LOW, Kind.UNDERFITTING})
"""What should be changed in a configuration. The others say how a training that is in order came to its end."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One sign, and what it rests on."""

    kind: Kind
    sentence: str  # with figures
    numbers: Mapping[str, float] = field(default_factory=dict)
