"""The rung table, from the scheduler's recorded decisions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from orchestrator.records.load import events_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.schedule import RungSummary


def rung_table(paths: SweepPaths) -> list[RungSummary]:
    """Every rung that a trial came to, by bracket and step; its cutoff is the latest."""
    events = events_table(paths, ["event", "trial", "rung", "value", "cutoff", "decision"])
    brackets = _brackets(paths)
    rungs: dict[tuple[int, int], list[Mapping[str, Any]]] = {}
    for row in events.to_pylist():
        if row["event"] == "rung":
            rungs.setdefault((brackets.get(row["trial"], 0), row["rung"]), []).append(row)
    return [
        RungSummary(
            bracket=bracket,
            rung=rung,
            entered=len(rows),
            stopped=sum(row["decision"] == "stop" for row in rows),
            diverged=sum(not math.isfinite(row["value"]) for row in rows),
            cutoff=rows[-1]["cutoff"],
        )
        for (bracket, rung), rows in sorted(rungs.items())
    ]


def _brackets(paths: SweepPaths) -> dict[int, int]:
    trials = trials_table(paths, ["trial", "bracket"])
    return dict(zip(trials["trial"].to_pylist(), trials["bracket"].to_pylist(), strict=True))
