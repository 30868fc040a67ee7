"""Forwards a command to the cluster that has its sweep, if this machine does not see the sweep's directory."""

from __future__ import annotations

from pathlib import Path


def forwarded(results: Path, sweep: str | None, words: list[str]) -> bool:
    """Run a command on the cluster that has the sweep.

    Returns:
        Whether the command was forwarded; False if this machine sees the sweep's directory.
    """
    from orchestrator.records.find import find_here
    from orchestrator.records.remote_record import read_remote, visible_paths

    here = find_here(results, sweep)
    sent = read_remote(here)
    if sent is None or visible_paths(here) != here:
        return False
    from orchestrator.cli.remote import remote_sweep

    remote_sweep.ask(here, sent, words)
    return True
