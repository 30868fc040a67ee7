"""What a sweep wrote down of itself."""

from __future__ import annotations

from orchestrator.core.rows import NODE, PACKING
from orchestrator.records.load import events_table
from orchestrator.records.paths import SweepPaths

LASTING = (NODE, PACKING)
"""Events that hold for the sessions after theirs, too."""


def notes(paths: SweepPaths) -> list[str]:
    """Sentences about the sweep: what holds for all of it, and of its last session, as why it ended early.

    None if nothing was out of the ordinary.
    """
    lasting: list[str] = []
    said: list[str] = []
    for row in events_table(paths, ["event", "reason"]).to_pylist():
        if (row["event"], row["reason"]) == ("sweep", "began"):
            said = []
        elif row["event"] in LASTING:
            lasting.append(row["reason"])
        elif row["event"] in ("note", "sweep"):
            said.append(row["reason"])
    return lasting + said
