"""`sweep show --events`: the latest events, one line each."""

from __future__ import annotations

import sys
import time
from typing import Any

from rich.console import Console
from rich.text import Text

from orchestrator.cli.formats import in_colour
from orchestrator.cli.views.event_lines import news_line, worth_telling
from orchestrator.core.rows import EventRow
from orchestrator.records.decode import event_rows
from orchestrator.records.load import events_table
from orchestrator.records.paths import SweepPaths
from orchestrator.spec.sections import Unit

NEWEST = 20
"""The default number of events."""


def newest(paths: SweepPaths, count: int) -> list[EventRow]:
    """The latest events that are news, in the order of time.

    Raises:
        RecordsError: The records are damaged.
    """
    told = [row for row in event_rows(events_table(paths), paths.events) if worth_telling(row)]
    return sorted(told, key=lambda row: row.at)[-count:]


def events_text(name: str, found: list[EventRow], unit: Unit = "steps") -> str:
    """The events as lines, under a line for each day. ``unit``: of the rungs."""
    if not found:
        return f"{name} has no events yet"
    lines, day = [], ""
    for row in found:
        if (today := time.strftime("%Y-%m-%d", time.localtime(row.at))) != day:
            day = today
            lines.append(day)
        lines.append(_written(news_line(row, unit=unit)))
    return "\n".join(lines)


def events_rows(found: list[EventRow]) -> list[dict[str, Any]]:
    """The events as rows, with the columns of the events log."""
    return [
        {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row.at)),
            "event": row.event,
            "trial": row.trial,
            "attempt": row.attempt,
            "step": row.step,
            "rung": row.rung,
            "value": row.value,
            "cutoff": row.cutoff,
            "decision": row.decision,
            "reason": row.reason,
            "detail": row.detail,
        }
        for row in found
    ]


def _written(line: Text) -> str:
    if not in_colour(sys.stdout):
        return line.plain.rstrip()
    console = Console(force_terminal=True, width=sys.maxsize)
    with console.capture() as captured:
        console.print(line, end="", soft_wrap=True, highlight=False)
    return captured.get()
