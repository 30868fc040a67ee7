"""A report: what a trainable says of a step. The same value goes into its journal and to the driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

RESERVED = frozenset({"trial", "trial_id", "attempt", "step", "train_s", "reported_at", "extra"})
"""Column names of the metrics table that a metric cannot have."""

STEPS = range(2**63)
"""The steps that can be recorded."""

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


def as_number(value: Any) -> float:
    """A metric as a float: from a number of Python or numpy, or an array or tensor of one element. Text is refused.

    Raises:
        TypeError, ValueError, RuntimeError, AttributeError: The value is not a single number.
    """
    if isinstance(value, str | bytes) or getattr(getattr(value, "dtype", None), "kind", "") in ("U", "S", "M", "m"):
        raise TypeError
    if hasattr(value, "detach"):
        value = value.detach()  # else torch warns of a loss that still has its graph
    return float(value.reshape(()) if getattr(value, "ndim", 0) else value)


def wrong_metric_name(name: str) -> str:
    """Why the records cannot have a metric of this name; "" if they can."""
    if name in RESERVED:
        return f"{name!r} is a column of the records, so it cannot name a metric"
    if not name:
        return "a metric needs a name"
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        return f"{name!r} is not valid Unicode, so it cannot name a metric"
    return ""
