"""Trainings of earlier sweeps that a sweep takes over, instead of repeating them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.core.journal import Journal
from orchestrator.core.rows import Config
from orchestrator.core.trial import Trial
from orchestrator.space.values import canonical_json
from trainables.report import Report

MOST_AT_ONCE = 100
"""Trials that are taken over before the driver does something else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """A trial of an earlier sweep, trained to its end."""

    sweep: str
    trial: int
    reason: str  # why it ended
    reports: tuple[tuple[int, Mapping[str, float]], ...]  # steps and metrics


Trainings = Mapping[str, Training]
"""By :func:`training_key`."""


def training_key(given: Config, seed: int) -> str:
    """What two trainings with the same code and data have in common if they are the same: all values, and the seed."""
    return canonical_json([seed, given])


def repeat(training: Training, trial: Trial, at: float, journal: Journal) -> str:
    """Report everything that a training has reported as the trial's own, in no time; why it diverged, or ""."""
    diverged, objective = "", trial.objective
    for step, metrics in training.reports:
        row = trial.report(Report(step=step, metrics=metrics, reported_at=at, train_s=0.0), at)
        value = metrics.get(objective.metric)
        if row is not None:
            journal.report(row)
        if value is not None and objective.diverges(value):
            diverged = f"{objective.metric} was {value:g} at step {step}"
        elif value is not None:
            trial.measure(step, value)
    return diverged
