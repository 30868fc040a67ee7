"""What a sweep wrote down of itself."""

from __future__ import annotations

from orchestrator.records.load import events_table
from orchestrator.records.paths import SweepPaths


def notes(paths: SweepPaths) -> list[str]:
    """Sentences about the sweep's last session, as why it ended early; none if nothing was out of the ordinary."""
    said: list[str] = []
    for row in events_table(paths, ["event", "reason"]).to_pylist():
        if (row["event"], row["reason"]) == ("sweep", "began"):
            said = []
        elif row["event"] in ("note", "sweep"):
            said.append(row["reason"])
    return said
