"""When a sweep found what: how many trials had started, and the best result, after so many seconds."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core.rows import ATTEMPT_ENDS, State
from orchestrator.records.paths import SweepPaths
from orchestrator.simulate.virtual_clock import Outcome


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One sweep over time. Seconds count from its beginning.

    Attributes:
        seconds: Until its last trial ended.
        started: When each trial started, ascending.
        improved: When the best result improved, and to what.
    """

    seconds: float
    started: tuple[float, ...]
    improved: tuple[tuple[float, float], ...]

    def trials_by(self, seconds: float) -> int:
        """How many trials had started."""
        return bisect.bisect_right(self.started, seconds)

    def best_by(self, seconds: float) -> float | None:
        """The best result by then; None if there was none."""
        at = bisect.bisect_right(self.improved, seconds, key=lambda each: each[0])
        return self.improved[at - 1][1] if at else None


def of_outcome(outcome: Outcome, metric: str, mode: str) -> Progress:
    """The progress of a simulated sweep, whose clock began at 0."""
    judged = {row.trial for row in outcome.trials.values() if row.state not in (State.DIVERGED, State.FAILED)}
    reports = ((row.reported_at, row.metrics.get(metric)) for row in outcome.metrics if row.trial in judged)
    started = (row.started_at for row in outcome.trials.values())
    return _progress(outcome.seconds, started, reports, mode)


def of_records(paths: SweepPaths, metric: str, mode: str) -> Progress:
    """The progress of a recorded sweep.

    Raises:
        RecordsError: The records are damaged.
    """
    from orchestrator.records.load import metrics_table, trials_table

    trials = trials_table(paths, ["trial", "state", "started_at", "ended_at"]).to_pylist()
    begins = [row["started_at"].timestamp() for row in trials if row["started_at"] is not None]
    ends = [row["ended_at"].timestamp() for row in trials if row["ended_at"] is not None]
    began = min(begins, default=0.0)
    judged = {row["trial"] for row in trials if row["state"] not in (State.DIVERGED, State.FAILED)}
    table = metrics_table(paths, ["trial", "reported_at", metric]).to_pydict()
    reports = (
        (at.timestamp() - began, value)
        for trial, at, value in zip(table["trial"], table["reported_at"], table[metric], strict=True)
        if trial in judged
    )
    return _progress(max(ends, default=began) - began, (at - began for at in begins), reports, mode)


def _progress(
    seconds: float, started: Iterable[float | None], reports: Iterable[tuple[float, float | None]], mode: str
) -> Progress:
    sign = 1.0 if mode == "min" else -1.0
    improved: list[tuple[float, float]] = []
    for at, value in sorted((at, value) for at, value in reports if value is not None):
        if not improved or sign * value < sign * improved[-1][1]:
            improved.append((at, value))
    return Progress(
        seconds=seconds, started=tuple(sorted(at for at in started if at is not None)), improved=tuple(improved)
    )


def most_at_once(rows: Iterable[Mapping[str, Any]]) -> int:
    """The most trials that ran at the same time, from the columns at, trial, event and reason of the events."""
    running: set[int] = set()
    most = 1
    for row in sorted(rows, key=lambda row: (row["at"], row["event"] == State.RUNNING)):
        if row["event"] == State.RUNNING:
            running.add(row["trial"])
            most = max(most, len(running))
        elif row["event"] in ATTEMPT_ENDS:
            running.discard(row["trial"])
        elif row["event"] == "sweep" and row["reason"] == "began":  # what ran before was killed with its driver
            running.clear()
    return most
