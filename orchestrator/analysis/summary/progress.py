"""How the best result of a sweep improved over trials and over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.analysis.summary.overview import Objective
from orchestrator.core.rows import ENDS, EVALUATION
from orchestrator.records.load import events_table, trials_table
from orchestrator.records.paths import SweepPaths


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The ends of trials in chronological order."""

    objective: Objective
    ends: Sequence[tuple[float, float | None]]  # seconds since the first launch, and the result if it has one
    seconds: float  # for which the sweep has run so far

    def after_trials(self, count: int) -> float | None:
        """The best result among the first ``count`` trials to end; None if none of them has a result."""
        return self.objective.best_of([value for _, value in self.ends[:count] if value is not None])

    def after_seconds(self, seconds: float) -> float | None:
        """The best result among trials that ended within ``seconds``; None if none of them has a result."""
        return self.objective.best_of([value for at, value in self.ends if value is not None and at <= seconds])


def progress(paths: SweepPaths, objective: Objective) -> Progress:
    """Read the progress from the records. Time between sessions is not counted.

    Raises:
        RecordsError: The records are damaged.
    """
    import pyarrow as pa

    table = trials_table(paths, ["trial", "objective"])
    results = dict(zip(table["trial"].to_pylist(), table["objective"].to_pylist(), strict=True))
    events = events_table(paths, ["at", "event", "trial", "reason"])
    moments = [microseconds / 1e6 for microseconds in events["at"].cast(pa.int64()).to_pylist()]
    names, trials, reasons = (events[name].to_pylist() for name in ("event", "trial", "reason"))
    ends: dict[int, float] = {}
    began, latest, before = None, 0.0, 0.0  # start of the session; its last event so far; seconds of earlier sessions
    for at, event, trial, reason in zip(moments, names, trials, reasons, strict=True):
        if event == EVALUATION:
            continue
        if (event, reason) == ("sweep", "began"):
            before += 0.0 if began is None else latest - began
            began = latest = at
        if began is None:
            began = at
        latest = max(latest, at)
        if event in ENDS:
            ends[trial] = before + at - began  # a trial that was resumed counts by its last end
    seconds = before + (0.0 if began is None else latest - began)
    ordered = sorted((at, trial) for trial, at in ends.items())
    return Progress(objective=objective, ends=[(at, results.get(trial)) for at, trial in ordered], seconds=seconds)
