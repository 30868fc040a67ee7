"""What the trials of a sweep reached: by that one tells a fit that is bad from one that could not be better."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.analysis.diagnosis.curve import Curve, Series

FEWEST_TRIALS = 4
"""Fewer trials than this say nothing of what could be reached."""

UNTRAINED = 0.9
"""The quantile of the first values that is taken for an untrained model: it is seen where little was learnt before the
first report. Set on churn, where three quarters of the trials had learnt most of it by then."""

EXPLODED = 3.0
"""A first value that is so many times the second comes from an explosion, not from an untrained model. Set on churn."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Where trials began, and where the one began to stand that is the best by its validation curve; as losses.

    Where there is no validation curve, ``train`` is the lowest of all, and ``validation`` None.
    """

    start: float  # of the training curves, where the model is untrained
    train: float  # of the best trial's training curve, at its best step
    validation: float | None  # of its validation curve, there


class ReferenceTracker:
    """Collects it, trial by trial."""

    def __init__(self) -> None:
        self._firsts: list[float] = []  # sorted
        self._best: tuple[float, float, float | None] | None = None

    def add(self, curve: Curve) -> None:
        """A trial that has ended, and has not diverged."""
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
        """As far as it is known; None if it is not, or if nobody got anywhere."""
        if len(self._firsts) < FEWEST_TRIALS or self._best is None:
            return None
        start = self._firsts[math.ceil(UNTRAINED * len(self._firsts)) - 1]
        _, train, validation = self._best
        return Reference(start=start, train=train, validation=validation) if train < start else None


def _exploded(values: Sequence[float]) -> bool:
    return len(values) > 1 and abs(values[0]) > EXPLODED * abs(values[1])


def _loss(series: Series, value: float) -> float:
    return value if series.mode == "min" else -value
