"""A report: what a trainable says of a step. The same value goes into its journal and to the driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Metrics at a step.

    Attributes:
        step: The trainable's own absolute count of epochs or iterations.
        metrics: Numbers by name; NaN and infinities are allowed.
        reported_at: Seconds since the epoch.
        train_s: Seconds of training up to this report, over all attempts at the trial.

    Several reports of one step, as of training and of validation, count as one: ``joined``.

    Reports of the same metrics at the same step are equal, whenever they were made.
    """

    step: int
    metrics: Mapping[str, float]
    reported_at: float = field(compare=False)
    train_s: float = field(compare=False)

    def joined(self, more: Report) -> Report:
        """This report with what a further one of the same step has in addition, and the training up to that."""
        metrics = {**self.metrics, **more.metrics, **self.metrics}
        return replace(self, metrics=metrics, train_s=max(self.train_s, more.train_s))
