"""The clusters to which this user has sent sweeps: the only ones that are given the user's token and code.

A directory of results may come from somebody else, and its remote.json may name any address. So what is known stands in
a file of the user's own, outside of all results.
"""

from __future__ import annotations

import os
import urllib.parse
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from cluster.jobs import REACH_S, Jobs
from orchestrator.errors import ClusterUseError, RecordsError
from orchestrator.records.plain_files import read_text


def reach_recorded(address: str, *, patience: float = REACH_S) -> Jobs:
    """Connect to a cluster that a sweep's records name, if this user has sent a sweep there before.

    Raises:
        ClusterUseError: The user has not. Nothing was sent.
        ClusterError: As ``Jobs.reach``.
    """
    if address not in known_clusters():
        raise ClusterUseError(
            f"the records name a cluster at {address}, to which you have not sent a sweep from here, so your token was"
            f" not sent there; if you trust it, add this address as a line to {clusters_file()}"
        )
    return Jobs.reach(address, patience=patience)


def reach_named(address: str) -> tuple[Jobs, str]:
    """Connect to a cluster that the user has named, and remember it.

    Returns:
        The cluster's jobs, and what the user is to be told; "" for nothing.

    Raises:
        ClusterError: As ``Jobs.reach``.
    """
    jobs = Jobs.reach(address)
    known = known_clusters()
    if address in known:
        return jobs, ""
    told = in_clear(address)
    try:
        _write([*known, address])
    except OSError as error:
        told += " " * bool(told)
        told += f"cannot write {clusters_file()}: {error.strerror}; later commands need this address in it"
    return jobs, told


def in_clear(address: str) -> str:
    """A sentence if what is sent to an address can be read on the way; "" if it cannot."""
    url = urllib.parse.urlsplit(address)
    host = url.hostname or ""
    here = host == "localhost"
    with suppress(ValueError):
        here = ip_address(host).is_loopback
    if url.scheme == "https" or here:
        return ""
    return (
        f"{address} is not encrypted: who sees the network between here and {host} can read your token and your code;"
        " https or a tunnel (ssh -L) keeps them from that."
    )


def known_clusters() -> list[str]:
    """The addresses; none if there is no such file or it cannot be read."""
    try:
        lines = read_text(clusters_file()).splitlines()
    except RecordsError:
        return []
    return [line.strip().rstrip("/") for line in lines if line.strip()]


def clusters_file() -> Path:
    """The file with an address on each line; it need not exist."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(home) / "sweep" / "known-clusters"


def _write(addresses: list[str]) -> None:
    file = clusters_file()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write("".join(f"{each}\n" for each in addresses))
