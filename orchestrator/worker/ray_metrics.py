"""The metrics of programs that were written for Ray Tune, as reports of a trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

from trainables.report import wrong_metric_name
from trainables.trial import Trial

DONE = "done"
"""The metric that ends a trial."""


class Metrics:
    """Reports what Ray Tune's programs report: nested metrics as ``val/loss``; text goes to the trial's log.

    Attributes:
        step: The count of reports, over all attempts, like Ray's training_iteration.
    """

    def __init__(self, trial: Trial) -> None:
        self.step = 0
        self._trial = trial
        self._said = False
        self._texts: dict[str, str] = {}

    def report(self, metrics: Mapping[str, Any]) -> bool:
        """Report to the trial at the present step; returns whether the trial is done.

        Raises:
            TrialEnded: The sweep has ended the trial.
            ValueError: No metric is a number.
        """
        found = dict(_flat(metrics))
        done = bool(found.pop(DONE, False))
        left_out = [name for name in found if wrong_metric_name(name)]
        numbers = {name: value for name, value in found.items() if _is_number(value) and name not in left_out}
        if not numbers:
            raise ValueError(f"tune.report({dict(metrics)!r:.80}): no metric is a number")
        if left_out and not self._said:
            self._said = True
            print(f"tune.report: not recorded, because the records have such columns: {', '.join(map(repr, left_out))}")
        for name, value in found.items():
            if isinstance(value, str) and self._texts.get(name) != value:
                self._texts[name] = value
                print(f"{name}: {value}")
        self._trial.report(step=self.step, **numbers)
        return done


def _flat(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value


def _is_number(value: object) -> bool:
    return isinstance(value, Real) or getattr(value, "ndim", None) == 0
