"""Records from JSON lines: ``{"step": 1, "val": {"loss": 0.5}}``."""

from __future__ import annotations

import json

from trainables.command.metrics.record import Record, flat


def read(line: str) -> Record:
    """The numbers of a line that is a JSON object; {} for any other. NaN and Infinity count, as Python writes them."""
    line = line.strip()
    if not (line.startswith("{") and line.endswith("}")):
        return {}
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return flat(values)
