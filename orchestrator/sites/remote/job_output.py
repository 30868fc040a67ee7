"""The output of a job on a cluster, line by line, and the JSON line in which its driver announces its directory.

The Jobs API returns nothing but this output, so the directory has to be in it. The line is the event ``started`` of
`sweep launch --json`; a driver that runs as a job prints it without --json, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from orchestrator.records.paths import SweepPaths

STARTED = "started"


def started(paths: SweepPaths) -> dict[str, Any]:
    """The data of the event: the sweep's name, and the directory of its records on this machine."""
    return {"sweep": paths.name, "directory": str(paths.root.absolute())}


def announcement(paths: SweepPaths) -> str:
    """The line that tells the sender of the job where the sweep is recorded."""
    return json.dumps({"event": STARTED, **started(paths)})


def announced(line: str) -> str:
    """The directory in an announcement; "" for any other line."""
    held = json_object(line)
    return str(held.get("directory", "")) if held is not None and held.get("event") == STARTED else ""


def json_object(line: str) -> dict[str, Any] | None:
    """The JSON object on a line; None for any other line."""
    if not line.startswith("{"):
        return None
    try:
        held = json.loads(line)
    except ValueError:
        return None
    return held if isinstance(held, dict) else None


def lines(pieces: Iterable[str]) -> Iterator[str]:
    """Complete lines, without line ends, from pieces of text that end anywhere."""
    waiting = ""
    for piece in pieces:
        *whole, waiting = (waiting + piece).split("\n")
        yield from whole
    if waiting:
        yield waiting
