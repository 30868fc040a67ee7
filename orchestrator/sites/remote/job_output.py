"""What a job on a cluster prints, line by line, and the line of JSON by which its driver says where it records.

The Jobs API hands out nothing but this output, so the directory of the sweep has to come in it. The line is the event
``started`` of `sweep launch --json`; a driver that runs as a job prints it also without --json.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from orchestrator.records.paths import SweepPaths

STARTED = "started"


def started(paths: SweepPaths) -> dict[str, Any]:
    """What the event says: the sweep's name, and the directory of its records on this machine."""
    return {"sweep": paths.name, "directory": str(paths.root.absolute())}


def announcement(paths: SweepPaths) -> str:
    """The line for whoever sent the job."""
    return json.dumps({"event": STARTED, **started(paths)})


def announced(line: str) -> str:
    """The directory in an announcement; "" if the line is anything else."""
    held = json_object(line)
    return str(held.get("directory", "")) if held is not None and held.get("event") == STARTED else ""


def json_object(line: str) -> dict[str, Any] | None:
    """The JSON object on a line; None if there is something else on it."""
    if not line.startswith("{"):
        return None
    try:
        held = json.loads(line)
    except ValueError:
        return None
    return held if isinstance(held, dict) else None


def lines(pieces: Iterable[str]) -> Iterator[str]:
    """Whole lines, without their ends, out of pieces of text that end anywhere."""
    waiting = ""
    for piece in pieces:
        *whole, waiting = (waiting + piece).split("\n")
        yield from whole
    if waiting:
        yield waiting
