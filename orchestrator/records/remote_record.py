"""remote.json: what this machine stores about a sweep on a cluster, to find it again.

It is in the sweep's directory on this machine, beside the copy of the records once they are fetched. It has no secrets.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator.errors import DamagedError, RecordsError
from orchestrator.records.atomic_files import replace_file
from orchestrator.records.paths import SweepPaths
from orchestrator.records.plain_files import parse_as, read_plain
from orchestrator.records.provenance import read_sweep_json


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A sweep that runs or ran as a job on a cluster."""

    address: str  # of the cluster's Jobs API
    jobs: tuple[str, ...]  # the job ids of the launch and of every resume
    spec: str  # the spec's path on this machine; a resume sends the code from there
    results: str  # the results directory on the cluster
    directory: str = ""  # the sweep's directory on the cluster, once the job has reported it; may have another name
    snapshot: str = ""  # the hash of the code that was sent
    submitted: str = ""  # ISO 8601, UTC
    status: str = "PENDING"  # the job's status when last asked for
    ended: bool = False
    pulled: str = ""  # when the records were last fetched, ISO 8601, UTC; "" for never
    pulled_end: bool = False  # whether they were last fetched after the end of the job
    clock: float = 0.0  # the cluster's clock at that time, seconds since the epoch

    @property
    def job(self) -> str:
        """The id of the last job."""
        return self.jobs[-1]


def read_remote(paths: SweepPaths) -> Remote | None:
    """The remote.json of a sweep; None if the sweep is not on a cluster.

    Raises:
        RecordsError: The file cannot be read.
    """
    try:
        remote: Remote = parse_as(Remote, read_plain(paths.remote))
        if not remote.jobs or not math.isfinite(remote.clock):
            raise ValueError("jobs: there is none" if not remote.jobs else f"clock: {remote.clock} is no time")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordsError(f"cannot read {paths.remote}: {error.strerror or error}") from error
    except ValueError as error:
        raise DamagedError(f"{paths.remote} is damaged: {error}") from error
    return remote


def write_remote(paths: SweepPaths, remote: Remote) -> None:
    """Write remote.json atomically.

    Raises:
        RecordsError: The file cannot be written.
    """
    replace_file(paths.remote, json.dumps(asdict(remote), indent=2, ensure_ascii=False).encode())


def visible_paths(paths: SweepPaths) -> SweepPaths:
    """The files to read the sweep's records from: its directory on the cluster if visible from here, else the copy."""
    remote = read_remote(paths)
    if remote is None or not remote.directory or not _is_that(Path(remote.directory), remote):
        return paths
    return SweepPaths(Path(remote.directory))


def _is_that(directory: Path, remote: Remote) -> bool:
    """Whether the directory has the same sweep: the path may exist on both machines without being shared."""
    try:
        return not set(remote.jobs).isdisjoint(read_sweep_json(SweepPaths(directory).info).jobs)
    except RecordsError:
        return False
