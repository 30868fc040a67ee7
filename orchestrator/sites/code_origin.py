"""The origin of code that was packed on another machine and sent here as a job.

The package contains no git repository, and its directory here is temporary. So when the package is made, the provenance
that sweep.json needs is written into it, beside our own modules.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from orchestrator import own_packages
from orchestrator.records.provenance import GitState, SweepInfo

JOB = "SWEEP_JOB"
"""The environment variable with the id of the job, set in all its processes."""

FILE = "sweep-origin.json"
CODE = "code"
"""The directory of the user's project in the package."""


@dataclass(frozen=True, kw_only=True)
class CodeOrigin:
    """The provenance of a package, collected on the machine that made it."""

    host: str
    directory: str  # the spec's directory on that machine
    within: str  # the spec's directory relative to the project's root; "" for the root
    command: list[str]
    git: GitState | None
    snapshot: str  # the hash of the project's files

    def as_bytes(self) -> bytes:
        """The content of the file that :func:`code_origin` reads."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()

    @property
    def base(self) -> Path:
        """The spec's directory in the unpacked package."""
        return own_packages.ROOT / CODE / self.within


def current_job() -> str:
    """The id of the job that this process belongs to, else ""."""
    return os.environ.get(JOB, "")


def code_origin() -> CodeOrigin | None:
    """The origin of this process's code; None if the code was not sent here as a job."""
    if not current_job() or not (own_packages.ROOT / FILE).is_file():
        return None
    held = json.loads((own_packages.ROOT / FILE).read_bytes())
    return CodeOrigin(**held | {"git": held["git"] and GitState(**held["git"])})


def with_code_origin(info: SweepInfo) -> SweepInfo:
    """The provenance with the origin of the code filled in, if the code was sent here as a job."""
    origin = code_origin()
    if origin is None:
        return info
    return replace(
        info,
        command=origin.command,
        directory=origin.directory,
        git=origin.git,
        snapshot=origin.snapshot,
        jobs=[current_job()],
    )
