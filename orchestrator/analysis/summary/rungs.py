"""The rung table, built from the scheduler's recorded decisions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core.rows import ENDS, PROMOTED
from orchestrator.core.schedulers import Action, RungSummary
from orchestrator.records.load import events_table, trials_table
from orchestrator.records.paths import SweepPaths


def rung_table(paths: SweepPaths) -> list[RungSummary]:
    """Every rung that a trial reached, by bracket and step, with its latest cutoff."""
    tally = RungTally()
    brackets = _brackets(paths)
    for row in events_table(paths, ["event", "trial", "rung", "value", "cutoff", "decision"]).to_pylist():
        if row["event"] in COUNTED:
            tally.add(brackets.get(row["trial"], 0), row)
    return tally.table()


COUNTED = ENDS | {"rung", PROMOTED}
"""The events that a tally needs: decisions, and what becomes of paused trials."""


class RungTally:
    """Builds the rung table from events, which are added in the order they were recorded."""

    def __init__(self) -> None:
        self._paused: dict[int, _Counts] = {}  # by trial, where it waits
        self._rungs: dict[tuple[int, int], _Counts] = {}

    def add(self, bracket: int, row: Mapping[str, Any]) -> None:
        """Count an event; ``row`` has the columns of the events table."""
        if row["event"] != "rung":
            if (waited := self._paused.pop(row["trial"], None)) is not None:
                waited.paused -= 1
                waited.stopped += row["event"] != PROMOTED or row["decision"] == Action.AUDIT
            return
        counts = self._rungs.setdefault((bracket, row["rung"]), _Counts())
        counts.entered += 1
        counts.stopped += row["decision"] in (Action.STOP, Action.AUDIT)
        if row["decision"] == Action.PAUSE:
            counts.paused += 1
            self._paused[row["trial"]] = counts
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
                paused=counts.paused,
            )
            for (bracket, rung), counts in sorted(self._rungs.items())
        ]


@dataclass
class _Counts:
    entered: int = 0
    stopped: int = 0
    diverged: int = 0
    cutoff: float | None = None
    paused: int = 0


def _brackets(paths: SweepPaths) -> dict[int, int]:
    trials = trials_table(paths, ["trial", "bracket"])
    return dict(zip(trials["trial"].to_pylist(), trials["bracket"].to_pylist(), strict=True))
