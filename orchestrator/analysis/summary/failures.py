"""Failed trials grouped by cause, so that fifty failures with one cause are shown once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.core.rows import State
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Failures with the same fingerprint."""

    fingerprint: str
    trials: tuple[int, ...]
    type: str  # of the first failure
    message: str
    traceback: str


def causes(paths: SweepPaths) -> list[Cause]:
    """The causes of failures, the most frequent first."""
    columns = ["trial", "state", "error_type", "error_message", "error_traceback", "error_fingerprint"]
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in trials_table(paths, columns).to_pylist():
        if row["state"] == State.FAILED:
            groups.setdefault(row["error_fingerprint"] or "", []).append(row)
    found = [
        Cause(
            fingerprint=fingerprint,
            trials=tuple(row["trial"] for row in rows),
            type=rows[0]["error_type"] or "",
            message=rows[0]["error_message"] or "",
            traceback=rows[0]["error_traceback"] or "",
        )
        for fingerprint, rows in groups.items()
    ]
    return sorted(found, key=lambda cause: -len(cause.trials))
