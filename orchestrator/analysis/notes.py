"""What a sweep wrote down of itself."""

from __future__ import annotations

from orchestrator.records.load import events_table
from orchestrator.records.paths import SweepPaths


def notes(paths: SweepPaths) -> list[str]:
    """Sentences about the whole sweep, as why it ended early; none if nothing was out of the ordinary."""
    events = events_table(paths, ["event", "reason"]).to_pylist()
    return [row["reason"] for row in events if row["event"] in ("note", "sweep") and row["reason"] != "began"]
