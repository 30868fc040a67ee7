"""How the best result came about: the trials in the order in which they ended, and what training had cost by then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from orchestrator.analysis.report.data import End, Progress
from orchestrator.core.rows import State


def progress(rows: Iterable[Mapping[str, Any]], unit: Literal["slot", "gpu"]) -> Progress:
    """Order the trials that have ended by when they did.

    Args:
        rows: Mappings with ``trial``, ``state``, ``ended_at`` (any unit; None: not recorded), ``train_s``, and perhaps
            ``gpus``.
        unit: "gpu" counts a trial's seconds of training by its share of GPUs.
    """
    ended = [row for row in rows if State(row["state"]).ended and row["ended_at"] is not None]
    ends, spent = [], 0.0
    for row in sorted(ended, key=lambda row: (row["ended_at"], row["trial"])):
        spent += (row["train_s"] or 0.0) * ((row.get("gpus") or 0.0) if unit == "gpu" else 1.0)
        ends.append(End(trial=row["trial"], spent=spent))
    return Progress(unit=unit, ends=tuple(ends))
