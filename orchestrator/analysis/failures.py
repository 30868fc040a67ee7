"""Failed trials grouped by cause, so that one mistake made fifty times is read once."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.rows import State


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Failures that share their fingerprint."""

    fingerprint: str
    trials: tuple[int, ...]
    type: str  # of the first
    message: str
    traceback: str


def causes(paths: SweepPaths) -> list[Cause]:
    """Why trials failed, the most frequent cause first."""
    import pyarrow.compute as pc

    columns = ["trial", "state", "error_type", "error_message", "error_traceback", "error_fingerprint"]
    table = trials_table(paths, columns)
    groups: dict[str, list[dict[str, str]]] = {}
    for row in table.filter(pc.equal(table["state"], State.FAILED.value)).to_pylist():
        groups.setdefault(row["error_fingerprint"], []).append(row)
    found = [
        Cause(
            fingerprint=fingerprint,
            trials=tuple(int(row["trial"]) for row in rows),
            type=rows[0]["error_type"],
            message=rows[0]["error_message"],
            traceback=rows[0]["error_traceback"],
        )
        for fingerprint, rows in groups.items()
    ]
    return sorted(found, key=lambda cause: -len(cause.trials))
