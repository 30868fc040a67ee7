"""Brings the local copy of a sweep on a cluster up to date, before a command reads it."""

from __future__ import annotations

from pathlib import Path


def refresh(results: Path, sweep: str | None) -> None:
    """Bring the copy of a sweep on a cluster up to date, if it is one."""
    from orchestrator.records.find import find_here

    if find_here(results, sweep).remote.is_file():
        from orchestrator.cli.remote import local_copy

        local_copy.refresh(results, sweep)
