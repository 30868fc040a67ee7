"""Patience: counts the trials since the best result last improved by enough to matter."""

from __future__ import annotations

from typing import Literal

ROUNDING = 1e-9
"""A gain that falls short of ``min_gain`` by this share of it is one: 0.3 and 0.299 differ by less than 0.001."""


class Patience:
    """Counts the trials since the last gain.

    A gain is a result that is better than the one of the last gain by at least ``min_gain``, so small gains add up. The
    first result is a gain.

    Attributes:
        best: The result of the last gain; None before the first result.
        trials: How many trials had a result, or diverged, since.
    """

    def __init__(self, mode: Literal["min", "max"], min_gain: float = 0.0) -> None:
        self.best: float | None = None
        self.trials = 0
        self._sign = 1.0 if mode == "min" else -1.0
        self._min_gain = min_gain
        self._counted: set[int] = set()

    def is_gain(self, value: float) -> bool:
        """Whether a result would be a gain now."""
        if self.best is None:
            return True
        gain = self._sign * (self.best - value)
        return gain > 0 and gain >= self._min_gain * (1 - ROUNDING)

    def ended(self, trial: int, value: float | None) -> None:
        """Take the result of a trial, or None if it diverged. A trial that goes on and ends again counts once."""
        if value is not None and self.is_gain(value):
            self.best, self.trials = value, 0
        elif trial not in self._counted:
            self.trials += 1
        self._counted.add(trial)
