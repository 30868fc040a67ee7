"""Fetches and updates the local copies of sweeps on Ray clusters that are reached over HTTP only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.errors import ClusterError
from cluster.jobs import Jobs
from orchestrator.cli.formats import say
from orchestrator.cli.remote.ray_job import as_user_errors, directory_of
from orchestrator.errors import ClusterUseError, RecordsError, SweepError, UserError
from orchestrator.formatting import count, size
from orchestrator.records.find import find_all
from orchestrator.records.paths import SweepPaths
from orchestrator.records.remote_record import Remote, read_remote, visible_paths
from orchestrator.sites.known_clusters import reach_recorded
from orchestrator.sites.remote import fetch, submit

LIST_S = 3.0
"""Seconds that `sweep ls` waits for a cluster to answer."""


def pull(here: SweepPaths, remote: Remote, *, large: bool) -> dict[str, Any]:
    """Fetch the records of a sweep, print how much was fetched, and return the same as data.

    Raises:
        SweepError: The records cannot be fetched.
    """
    with as_user_errors():
        jobs = reach_recorded(remote.address)
        remote = submit.refresh(jobs, here, remote)
        directory_of(remote, here)
        fetched = fetch.pull(jobs, here, remote, large=large)
    still = "" if remote.ended else "; it is still running"
    say(f"{count(fetched.files, 'file')} of {here.name} fetched, {size(fetched.size)}, into {here.root}{still}")
    return {"files": fetched.files, "bytes": fetched.size, "ended": remote.ended}


def refresh(here: SweepPaths, tell: Callable[[str], None] = say) -> None:
    """Bring the copy of a sweep up to date, if its cluster can be reached; nothing if it is not a copy.

    Args:
        here: The directory of the sweep on this machine.
        tell: Called with a sentence if the copy stays as it was.

    Raises:
        SweepError: No records have ever been fetched, and they cannot be fetched now.
    """
    remote = read_remote(here)
    if remote is None or remote.pulled_end or visible_paths(here) != here:
        return
    try:
        with as_user_errors():
            jobs = reach_recorded(remote.address)
            remote = submit.refresh(jobs, here, remote)
            if not remote.directory and not remote.ended:
                raise UserError(f"{here.name} is waiting on {jobs.address} ({remote.status}); nothing is recorded yet")
            fetch.pull(jobs, here, remote)
    except SweepError as error:
        if not remote.pulled:
            raise
        tell(f"{error}; showing the copy of {remote.pulled}")


def statuses(results: Path) -> dict[str, Remote]:
    """The records of sweeps on clusters, by name, with their present status where the cluster answers."""
    found: dict[str, Remote] = {}
    reached: dict[str, Jobs | None] = {}
    for here in find_all(results):
        try:
            remote = read_remote(here)
        except RecordsError:  # the listing says so
            continue
        if remote is None:
            continue
        if not remote.ended:
            if remote.address not in reached:
                reached[remote.address] = _reach_or_say(remote.address)
            if (jobs := reached[remote.address]) is not None:
                with as_user_errors():
                    remote = submit.refresh(jobs, here, remote)
        found[here.name] = remote
    return found


def _reach_or_say(address: str) -> Jobs | None:
    try:
        return reach_recorded(address, patience=LIST_S)
    except (ClusterError, ClusterUseError) as error:
        say(f"{error}; showing the last known status of its sweeps")
        return None
