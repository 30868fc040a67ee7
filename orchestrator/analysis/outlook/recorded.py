"""The outlook of a recorded sweep, from its table of trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from orchestrator.analysis.outlook.outlook import Outlook, outlooks
from orchestrator.analysis.summary.overview import Objective
from orchestrator.core.rows import State
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

COLUMNS = ("state", "objective", "started_at", "ended_at")
"""The columns that an outlook needs."""

CLOSED = ("grid", "list")
"""Search methods that have no further trials beyond their own end."""

_COUNTED = [State.COMPLETED.value, State.STOPPED.value, State.PAUSED.value, State.DIVERGED.value]


def outlook_in(paths: SweepPaths, objective: Objective, info: SweepInfo) -> list[Outlook]:
    """The outlook of a sweep; as ``outlook_of``.

    Raises:
        RecordsError: The records are damaged.
    """
    return outlook_of(trials_table(paths, list(COLUMNS)), objective.mode, info.spec["search"]["method"])


def outlook_of(table: pa.Table, mode: Literal["min", "max"], method: str) -> list[Outlook]:
    """What further trials would bring; nothing if there are too few results, or the search has an end of its own.

    Args:
        table: The trials, with the columns COLUMNS.
        mode: That of the objective.
        method: The search method.
    """
    if method in CLOSED:
        return []
    losses, in_full = results_in_order(table, mode)
    return outlooks(losses, in_full=in_full)


def results_in_order(table: pa.Table, mode: Literal["min", "max"]) -> tuple[np.ndarray, np.ndarray]:
    """The results in the order in which the trials ended, lower is better, and which are of full trainings.

    A result is infinite if the trial diverged. Paused trials count as of when they began. A running or cancelled one
    counts if it is the best, as the last.
    """
    import numpy as np

    values = np.array(table["objective"].to_pylist(), dtype=float)
    losses = values if mode == "min" else -values
    states = table["state"].to_pylist()
    counted = np.array([state in _COUNTED for state in states], dtype=bool)
    completed = np.array([state == State.COMPLETED for state in states], dtype=bool)
    times = zip(_microseconds(table["ended_at"]), _microseconds(table["started_at"]), strict=True)
    ended = np.array([began if end is None else end for end, began in times], dtype=float)
    order = np.argsort(ended[counted], kind="stable")
    found = np.where(np.isfinite(losses[counted]), losses[counted], np.inf)[order]
    in_full = completed[counted][order]
    others = losses[~counted & np.isfinite(losses)]
    if len(others) and others.min() < found.min(initial=np.inf):
        return np.append(found, others.min()), np.append(in_full, False)
    return found, in_full


def _microseconds(column: pa.ChunkedArray) -> list[int | None]:
    """Times as numbers. pyarrow's own conversions import pandas, which takes longer than the rest."""
    return [each for chunk in column.chunks for each in chunk.view("int64").to_pylist()]
