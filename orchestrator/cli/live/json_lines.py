"""A launch that a program follows: an event a line in JSON; docs/agents.md describes them."""

from __future__ import annotations

import time
from typing import Any

from orchestrator.cli import json_output
from orchestrator.cli.live.progress import Change, Progress
from orchestrator.cli.live.write_troubles import WriteTroubles
from orchestrator.core.sweep import Sweep
from orchestrator.core.trial import Trial

PROGRESS_S = 10.0
"""Seconds between two events that say how far the sweep is."""


class JsonLines:
    """An observer that prints events."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._troubles = WriteTroubles()
        self._next = time.monotonic() + PROGRESS_S

    def show(self, sweep: Sweep, now: float) -> None:
        """Print what is new, and from time to time how far the sweep is."""
        for note in self._progress.notes(sweep):
            json_output.event("note", at=now, text=note)
        for change in self._progress.look(sweep, now):
            _print(change)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + PROGRESS_S
            json_output.event("progress", at=now, **_far(sweep, self._progress))

    def trouble(self, what: str, why: str | None) -> None:
        """Print that something cannot be written, or can be again."""
        json_output.event("trouble", what=what, over=why is None, text=self._troubles.line(what, why))


def _print(change: Change) -> None:
    trial = change.trial
    if change.kind == "began":
        failure = trial.failure
        after = None if failure is None else {"type": failure.type, "message": failure.message}
        json_output.event(
            "trial-started", at=change.at, trial=trial.number, attempt=trial.attempts, config=trial.config, after=after
        )
        return
    if change.kind == "paused":
        json_output.event(
            "trial-paused", at=change.at, trial=trial.number, attempt=trial.attempts, value=trial.last, rung=trial.rung
        )
        return
    json_output.event("trial-ended", at=change.at, **ended(trial))


def ended(trial: Trial) -> dict[str, Any]:
    """How a trial ended."""
    return {
        "trial": trial.number,
        "attempt": trial.attempts,
        "state": trial.state.value,
        "value": trial.result,
        "step": trial.last_step,
        "train_s": trial.train_s,
        "reason": trial.reason,
    }


def _far(sweep: Sweep, progress: Progress) -> dict[str, Any]:
    return {
        "ended": progress.ended,
        "running": len(progress.running),
        "paused": progress.paused,
        "total": progress.total,
        "states": {state.value: number for state, number in progress.counts.items() if number},
        "best": None if sweep.best is None else _best(sweep.best),
        "elapsed_s": progress.wall_s,
        "left_s": progress.left_s,
    }


def _best(trial: Trial) -> dict[str, Any]:
    return {"trial": trial.number, "value": trial.result}
