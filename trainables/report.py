"""A report: what a trainable says of a step. The same value goes into its journal and to the driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

MEASURED = frozenset({"examples_per_s", "peak_memory_gb"})
"""Metrics of the machine rather than of the training: another run of the same training has other values."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Report:
    """Metrics at a step.

    Attributes:
        step: The trainable's own absolute count of epochs or iterations.
        metrics: Numbers by name; NaN and infinities are allowed.
        reported_at: Seconds since the epoch.
        train_s: Seconds of training up to this report, over all attempts at the trial.

    Several reports of one step, as of training and of validation, count as one: ``joined``.

    Reports of the same metrics at the same step are equal, whenever they were made, and whatever was measured of the
    machine.
    """

    step: int
    metrics: Mapping[str, float]
    reported_at: float
    train_s: float

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Report) and (self.step, self._trained()) == (other.step, other._trained())

    __hash__ = None  # type: ignore[assignment]  # a mapping has none

    def _trained(self) -> dict[str, float]:
        return {name: value for name, value in self.metrics.items() if name not in MEASURED}

    def joined(self, more: Report) -> Report:
        """This report with what a further one of the same step has in addition, and the training up to that."""
        metrics = {**self.metrics, **more.metrics, **self.metrics}
        return replace(self, metrics=metrics, train_s=max(self.train_s, more.train_s))
