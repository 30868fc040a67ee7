"""Which trial ran where and when: assigns attempts to the slots of their nodes.

The slot of an attempt is not recorded. It gets the slot that was freed most recently, because the worker that becomes
free takes the next trial.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.analysis.report.data import Span, Timeline
from orchestrator.core.rows import ACCOUNT, ATTEMPT_ENDS, EVALUATION, State

UNKNOWN = "node not recorded"
"""The lane of earlier attempts of a trial in a sweep on several nodes: only the last attempt's node is recorded."""

_AFTER_IT = frozenset({ACCOUNT, EVALUATION})
"""Events that may follow the end of a session."""


def timeline(events: Iterable[Mapping[str, Any]], nodes: Mapping[int, str | None], now: float | None) -> Timeline:
    """Lay out the attempts of a sweep.

    Args:
        events: Mappings with ``at`` (seconds), ``event``, ``reason``, ``trial`` and ``attempt``.
        nodes: Trial to the node of its last attempt.
        now: The current time if the sweep is running: unfinished attempts extend to it.
    """
    rows = sorted(events, key=lambda row: row["at"])
    sessions = _sessions(rows, now)
    spans = _attempts(rows, sessions)
    last = {trial: attempt for trial, attempt, *_ in spans}
    names = {name for name in nodes.values() if name is not None}
    only = names.pop() if len(names) == 1 else None

    by_node: dict[str, list[tuple[int, int, float, float, str]]] = {}
    for span in spans:
        trial, attempt = span[:2]
        place = (nodes.get(trial) if attempt == last[trial] else None) or only or UNKNOWN
        by_node.setdefault(place, []).append(span)

    lanes: list[str] = []
    laid: list[Span] = []
    busy: dict[str, float] = {}
    wall = sum(end - begin for begin, end in sessions)
    for node in sorted(by_node, key=lambda name: (name == UNKNOWN, name)):
        free: list[float] = []  # since when each slot of this node is free
        for trial, attempt, began, ended, outcome in by_node[node]:
            slot = max((s for s, at in enumerate(free) if at <= began), key=lambda s: free[s], default=len(free))
            free[slot : slot + 1] = [ended]
            lane = len(lanes) + slot
            laid.append(Span(trial=trial, attempt=attempt, lane=lane, began=began, ended=ended, outcome=outcome))
        lanes += [node] * len(free)
        if node != UNKNOWN and wall:
            trained = sum(ended - began for _, _, began, ended, _ in by_node[node])
            busy[node] = min(1.0, trained / (wall * len(free)))
    return Timeline(lanes=tuple(lanes), spans=tuple(laid), sessions=sessions, busy=busy)


def _sessions(rows: list[Mapping[str, Any]], now: float | None) -> tuple[tuple[float, float], ...]:
    begins: list[float] = []
    ends: list[float] = []
    for row in rows:
        if (row["event"], row["reason"]) == ("sweep", "began"):
            begins.append(row["at"])
            ends.append(row["at"])
        elif ends and row["event"] not in _AFTER_IT:
            ends[-1] = row["at"]
    if ends and now is not None:
        ends[-1] = max(ends[-1], now)
    return tuple(zip(begins, ends, strict=True))


def _attempts(
    rows: list[Mapping[str, Any]], sessions: tuple[tuple[float, float], ...]
) -> list[tuple[int, int, float, float, str]]:
    """(trial, attempt, began, ended, outcome), sorted by start. The end of a killed session ends its attempts."""
    running: dict[int, tuple[int, float]] = {}
    found = []
    for row in rows:
        trial, at = row["trial"], row["at"]
        if row["event"] == State.RUNNING:
            if trial in running:
                found.append((trial, *running[trial], _end_of(sessions, running[trial][1]), "retry"))
            running[trial] = (row["attempt"], at)
        elif row["event"] in ATTEMPT_ENDS and trial in running:
            found.append((trial, *running.pop(trial), at, row["event"]))
    found += [
        (trial, attempt, began, _end_of(sessions, began), State.RUNNING.value)
        for trial, (attempt, began) in running.items()
    ]
    return sorted(found, key=lambda span: (span[2], span[0]))


def _end_of(sessions: tuple[tuple[float, float], ...], at: float) -> float:
    """The end of the session that contains this time."""
    return next((end for begin, end in sessions if begin <= at <= end), at)
