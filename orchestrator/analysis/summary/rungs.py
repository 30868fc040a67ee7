"""The rung table, built from the scheduler's recorded decisions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core.schedulers import RungSummary
from orchestrator.records.load import events_table, trials_table
from orchestrator.records.paths import SweepPaths


def rung_table(paths: SweepPaths) -> list[RungSummary]:
    """Every rung that a trial reached, by bracket and step, with its latest cutoff."""
    tally = RungTally()
    brackets = _brackets(paths)
    for row in events_table(paths, ["event", "trial", "rung", "value", "cutoff", "decision"]).to_pylist():
        if row["event"] == "rung":
            tally.add(brackets.get(row["trial"], 0), row)
    return tally.table()


class RungTally:
    """Builds the rung table from decisions, which are added in the order they were recorded."""

    def __init__(self) -> None:
        self._rungs: dict[tuple[int, int], _Counts] = {}

    def add(self, bracket: int, row: Mapping[str, Any]) -> None:
        """Count a decision; ``row`` has the columns of the events table."""
        counts = self._rungs.setdefault((bracket, row["rung"]), _Counts())
        counts.entered += 1
        counts.stopped += row["decision"] == "stop"
        counts.diverged += not math.isfinite(row["value"])
        counts.cutoff = row["cutoff"]

    def table(self) -> list[RungSummary]:
        """The rungs so far, by bracket and step."""
        return [
            RungSummary(
                bracket=bracket,
                rung=rung,
                entered=counts.entered,
                stopped=counts.stopped,
                diverged=counts.diverged,
                cutoff=counts.cutoff,
            )
            for (bracket, rung), counts in sorted(self._rungs.items())
        ]


@dataclass
class _Counts:
    entered: int = 0
    stopped: int = 0
    diverged: int = 0
    cutoff: float | None = None


def _brackets(paths: SweepPaths) -> dict[int, int]:
    trials = trials_table(paths, ["trial", "bracket"])
    return dict(zip(trials["trial"].to_pylist(), trials["bracket"].to_pylist(), strict=True))
