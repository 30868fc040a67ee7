"""What searches over the built-in `tabular` share: a job, and its training with their own reports."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

GRACE, FACTOR = 2, 3

JOB = "job.json"
SCORES = "scores.txt"
"""Files in the working directory: the job; and, line by line, the best that a trial had reached at each report."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be searched.

    Attributes:
        fixed: The hyperparameters that all trials share; `data` is absolute.
        configurations: What is to be tried, in this order; the same for all, so that no search has better luck.
    """

    fixed: Mapping[str, Any]
    metric: str
    mode: Literal["min", "max"]
    configurations: Sequence[Mapping[str, Any]]

    @property
    def epochs(self) -> int:
        """The length of a full training."""
        return int(self.fixed["epochs"])

    def best(self, *values: float) -> float:
        """The best of these."""
        return min(values) if self.mode == "min" else max(values)

    def write(self) -> None:
        """Leave it to the searches in the working directory."""
        Path(JOB).write_text(json.dumps(asdict(self)))


def read_job() -> Job:
    """The job in the working directory."""
    return Job(**json.loads(Path(JOB).read_text()))


def train(job: Job, config: Mapping[str, Any], *, scores: str, report: Callable[[int, float], None]) -> None:
    """The built-in trainable's training, on one CPU; each epoch's value is reported.

    Args:
        job: The job.
        config: One of its configurations.
        scores: The file that takes the best values.
        report: Given the epoch and its value; may raise to end the trial.
    """
    import torch

    from trainables.builtin import tabular
    from trainables.report import Report
    from trainables.trial import Trial

    torch.set_num_threads(1)
    seen: list[float] = []

    def sink(reported: Report) -> None:
        seen.append(reported.metrics[job.metric])
        with Path(scores).open("a") as file:  # at each report: Ray Tune ends a trial by ending its process
            file.write(f"{job.best(*seen)}\n")
        report(reported.step, seen[-1])

    whole = {**config, **job.fixed}
    tabular.train(whole, Trial(config=whole, number=0, seed=0, sink=sink))
