"""The ends of trials' logs that a page holds: of the most important trials, and no more than a page can carry."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from orchestrator.analysis.report.data import LogEnd, Logs
from orchestrator.records.paths import SweepPaths
from orchestrator.records.plain_files import open_plain
from orchestrator.safe_text import log_line

EACH = 4_000
"""The most bytes of one log."""

ALL = 200_000
"""The most bytes of all logs together."""

OPENED = 500
"""The most logs that are looked into."""


def log_ends(paths: SweepPaths, trials: Iterable[int]) -> Logs:
    """Read the ends of logs until the page is full.

    Args:
        paths: The sweep's directory.
        trials: Every trial, the most important first.
    """
    ends: list[LogEnd] = []
    held = 0
    for trial in islice(trials, OPENED):
        found = _end(paths.log(trial), trial)
        size = len(found.text.encode())
        if held + size > ALL:
            break
        held += size
        ends.append(found)
    return Logs(ends=tuple(ends), held=held)


def _end(log: Path, trial: int) -> LogEnd:
    """The last lines of a log, as a terminal would show them; empty if there is none that can be read."""
    try:
        with open_plain(log, follow=False) as file:
            whole = os.fstat(file.fileno()).st_size
            file.seek(max(0, whole - EACH))
            data = file.read(EACH)
    except OSError:
        return LogEnd(trial=trial, text="", before=0)
    before = max(0, whole - EACH)
    if before and b"\n" in data[:-1]:  # the first line is cut
        cut = data.index(b"\n") + 1
        before, data = before + cut, data[cut:]
    lines = data.decode(errors="replace").rstrip("\n").split("\n")
    return LogEnd(trial=trial, text="\n".join(map(log_line, lines)), before=before)
