"""remote.json: the little that this machine keeps of a sweep that runs on a cluster, so that it is found again.

It lies in the sweep's own directory here, beside a copy of the records once they were fetched. It has no secrets.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator.errors import RecordsError
from orchestrator.records.disk import replace_file
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A sweep that runs, or ran, as a job on a cluster."""

    address: str  # of the cluster's Jobs API
    jobs: tuple[str, ...]  # their ids: the launch, and every resume
    spec: str  # here: where the code is taken from if it is resumed
    results: str  # there: the directory of sweeps that was asked for
    directory: str = ""  # there: the sweep's own, once the job has said so; its name may be another than here
    snapshot: str = ""  # the hash of the code that was sent
    submitted: str = ""  # ISO 8601, UTC
    status: str = "PENDING"  # the job's, when it was last asked
    ended: bool = False
    pulled: str = ""  # when the records were last fetched, ISO 8601, UTC; "": never
    pulled_end: bool = False  # whether that was after the job had ended
    clock: float = 0.0  # the cluster's, at that time: seconds since the epoch

    @property
    def job(self) -> str:
        """The id of the last job."""
        return self.jobs[-1]


def read_remote(paths: SweepPaths) -> Remote | None:
    """The record of a sweep; None if it is none of a cluster.

    Raises:
        RecordsError: It cannot be read.
    """
    try:
        held = json.loads(paths.remote.read_bytes())
        known = {name: held[name] for name in Remote.__dataclass_fields__ if name in held}
        return Remote(**known | {"jobs": tuple(held["jobs"])})
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordsError(f"cannot read {paths.remote}: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise RecordsError(f"{paths.remote} is damaged: {error}") from error


def write_remote(paths: SweepPaths, remote: Remote) -> None:
    """Write the record in one step.

    Raises:
        RecordsError: The disk refused.
    """
    replace_file(paths.remote, json.dumps(asdict(remote), indent=2, ensure_ascii=False).encode())


def seen_here(paths: SweepPaths) -> SweepPaths:
    """Where its records are read: in the directory on the cluster if it is seen from here; else in the copy."""
    remote = read_remote(paths)
    if remote is None or not remote.directory or not _is_that(Path(remote.directory), remote):
        return paths
    return SweepPaths(Path(remote.directory))


def _is_that(directory: Path, remote: Remote) -> bool:
    """Whether the sweep that lies there is the one: a path may exist on both machines without being shared."""
    try:
        return not set(remote.jobs).isdisjoint(read_sweep_json(SweepPaths(directory).info).jobs)
    except RecordsError:
        return False
