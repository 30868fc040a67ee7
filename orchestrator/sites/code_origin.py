"""Where the code of a sweep comes from if it runs as a job on a cluster: it was packed elsewhere and sent here.

There is no git in the package, and its directory there goes with the cluster; so what sweep.json says of them is
written into the package, beside our own modules, when it is packed.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from orchestrator import own_packages
from orchestrator.records.provenance import GitState, SweepInfo

JOB = "SWEEP_JOB"
"""The variable that has the id of the job, in every process of one."""

FILE = "sweep-origin.json"
CODE = "code"
"""The directory of the user's project in a package."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What is known where a package is made."""

    host: str
    directory: str  # there: the spec's
    within: str  # the spec's directory from the project's root, "" for the root itself
    command: list[str]
    git: GitState | None
    snapshot: str  # the hash of the project's files

    def as_bytes(self) -> bytes:
        """What ``here`` reads."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()

    @property
    def base(self) -> Path:
        """The spec's directory, in the package as it was unpacked here."""
        return own_packages.ROOT / CODE / self.within


def job() -> str:
    """The id of the job that this process is part of; "" if none."""
    return os.environ.get(JOB, "")


def here() -> Origin | None:
    """Where the code of this process comes from; None if it was not sent here as a job."""
    if not job() or not (own_packages.ROOT / FILE).is_file():
        return None
    held = json.loads((own_packages.ROOT / FILE).read_bytes())
    return Origin(**held | {"git": held["git"] and GitState(**held["git"])})


def marked(info: SweepInfo) -> SweepInfo:
    """What sweep.json says of a sweep that begins in this process: the truth about its code if that was sent here."""
    origin = here()
    if origin is None:
        return info
    return replace(
        info,
        command=origin.command,
        directory=origin.directory,
        git=origin.git,
        snapshot=origin.snapshot,
        jobs=[job()],
    )
