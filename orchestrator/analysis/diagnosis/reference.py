"""The sweep's reference: what its trials reached, which tells a bad fit from one that could not be better."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.analysis.diagnosis.curve import Curve, Series

FEWEST_TRIALS = 4
"""The fewest trials from which there is a reference."""

UNTRAINED = 0.9
"""The quantile of first values that counts as the loss of an untrained model: only trials that learnt little before
their first report show it. Set on churn, where three quarters of the trials had learnt most by then."""

EXPLODED = 3.0
"""A first value this many times the second comes from an explosion, not from an untrained model. Set on churn."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The losses of an untrained model, and of the best trial by its validation curve.

    Without validation curves, ``train`` is the lowest training loss of all trials, and ``validation`` is None.
    """

    start: float  # training loss of an untrained model
    train: float  # training loss of the best trial at its best step
    validation: float | None  # validation loss of the best trial at that step


class ReferenceTracker:
    """Computes the reference as trials are added."""

    def __init__(self) -> None:
        self._firsts: list[float] = []  # sorted
        self._best: tuple[float, float, float | None] | None = None

    def add(self, curve: Curve) -> None:
        """Add a trial that has ended and has not diverged."""
        train = curve.train
        if train is None or not math.isfinite(train.values[0]):
            return
        if not _exploded(train.values):
            insort(self._firsts, _loss(train, train.values[0]))
        if train.shape is None:
            return
        validation = None if curve.validation is None else curve.validation.shape
        if curve.validation is not None and validation is None:
            return
        found: tuple[float, float, float | None] = (train.shape.lowest, train.shape.lowest, None)
        if validation is not None:
            step = validation.steps[validation.best]
            found = (validation.lowest, train.shape.value_at(step), validation.lowest)
        if self._best is None or found[0] < self._best[0]:
            self._best = found

    @property
    def reference(self) -> Reference | None:
        """The reference so far; None with too few trials, or if no trial made progress."""
        if len(self._firsts) < FEWEST_TRIALS or self._best is None:
            return None
        start = self._firsts[math.ceil(UNTRAINED * len(self._firsts)) - 1]
        _, train, validation = self._best
        return Reference(start=start, train=train, validation=validation) if train < start else None


def _exploded(values: Sequence[float]) -> bool:
    return len(values) > 1 and abs(values[0]) > EXPLODED * abs(values[1])


def _loss(series: Series, value: float) -> float:
    return value if series.mode == "min" else -value
