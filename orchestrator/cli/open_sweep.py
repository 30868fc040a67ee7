"""Opens the sweep that a command names, its local copy brought up to date first if it is on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.records.paths import SweepPaths


def open_sweep(results: Path, name: str | None) -> SweepPaths:
    """The records of a sweep.

    Args:
        results: The results directory.
        name: The sweep's name, a prefix of it, or its directory; None: the latest sweep.

    Raises:
        NoSuchSweepError: There is no such sweep, or more than one begins with the name.
        UserError: The sweep is on a cluster, and its records have never been fetched and cannot be now.
    """
    from orchestrator.records.find import find, find_here

    here = find_here(results, name)
    if here.remote.is_file():
        from orchestrator.cli.remote import local_copy

        local_copy.refresh(here)
    return find(results, name)
