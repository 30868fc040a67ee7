"""A sweep's provenance, stored in sweep.json: what is needed to know what ran, and to run it again.

Contains no secrets: no environment variables, no addresses of git remotes, no files that usually contain keys.
"""

from __future__ import annotations

import contextlib
import json
import platform
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from orchestrator.errors import RecordsError
from orchestrator.records import SCHEMA_VERSION
from orchestrator.records.atomic_files import FILE_OPERATIONS, FileOperations, replace_file

PACKAGES = ("sweep-orchestrator", "ray", "torch", "pyarrow", "pandas", "optuna")
DIFF_BYTES = 256 * 1024
GIT_SECONDS = 5.0
MAY_HOLD_KEYS = ("*.env", ".env*", "*.pem", "*.key", "*secret*", "*credential*")
"""Names of files that usually contain keys: these are recorded neither in the diff nor with the code."""
ADDED: Mapping[str, Any] = {"engine": "local", "snapshot": "", "jobs": [], "curves": []}
"""Fields that older versions of sweep.json lack, with their values for these sweeps."""

_USER_INFO = re.compile(r"//[^/@\s]+@")


@dataclass(frozen=True, kw_only=True)
class GitState:
    """The git state of the user's working directory."""

    commit: str | None  # None before the first commit
    branch: str | None  # None with a detached HEAD
    diff: str  # tracked files against the commit, at most DIFF_BYTES, without files that usually contain keys
    diff_cut: bool  # whether the diff was longer than DIFF_BYTES
    untracked: int  # the number of files in neither the commit nor the diff


@dataclass(frozen=True, kw_only=True)
class SweepInfo:
    """The content of sweep.json."""

    schema: int  # the version of the record format
    name: str
    created: str  # ISO 8601, UTC
    seed: int
    trainable: str  # as in the spec
    engine: str  # the value of --on
    spec: dict[str, Any]  # the effective spec: defaults and --set applied
    command: list[str]
    directory: str  # the user's working directory
    host: str
    python: str
    versions: dict[str, str]  # versions of the installed packages
    git: GitState | None  # None outside of git
    fingerprints: dict[str, str]  # of the trainable's code and of the data
    resumed: list[dict[str, Any]]  # one entry per resume: time, command, changes
    snapshot: str = ""  # the hash of the code that was sent to a cluster; "" if no code was sent
    jobs: list[str] = field(default_factory=list)  # the ids of the Ray jobs of the launch and the resumes
    curves: list[str] = field(default_factory=list)  # the metrics by which the trainable's fit is diagnosed

    @property
    def parent(self) -> str | None:
        """The name of the sweep from which this one was derived, if its spec has one."""
        return self.spec.get("parent")


def collect(
    *,
    name: str,
    seed: int,
    trainable: str,
    engine: str = "local",
    spec: Mapping[str, Any],
    curves: Sequence[str] = (),
    command: Sequence[str],
    directory: Path,
    fingerprints: Mapping[str, str] | None = None,
    now: float | None = None,
) -> SweepInfo:
    """Collect the content of sweep.json. Takes about 20 ms, or GIT_SECONDS if git hangs.

    Args:
        name: The sweep's name, as claimed.
        seed: The sweep's seed.
        trainable: The trainable as in the spec.
        engine: The value of --on.
        spec: The effective spec as plain JSON values.
        curves: The metrics that the trainable declares as its curves.
        command: The user's command line.
        directory: The user's working directory, whose git state is recorded.
        fingerprints: Fingerprints of code and data, by name.
        now: Seconds since the epoch; by default the current time.
    """
    return SweepInfo(
        schema=SCHEMA_VERSION,
        name=name,
        created=datetime.fromtimestamp(time.time() if now is None else now, UTC).isoformat(),
        seed=seed,
        trainable=trainable,
        engine=engine,
        spec=dict(spec),
        curves=list(curves),
        command=redacted(command),
        directory=str(directory),
        host=socket.gethostname(),
        python=platform.python_version(),
        versions=_versions(),
        git=git_state(directory),
        fingerprints=dict(fingerprints or {}),
        resumed=[],
    )


def redacted(command: Sequence[str]) -> list[str]:
    """A command line without user names and passwords in URLs."""
    return [_USER_INFO.sub("//…@", word) for word in command]


def git_state(directory: Path) -> GitState | None:
    """The commit and the changes since; None without git or a repository, or if git takes too long."""
    try:
        inside = _git(directory, "rev-parse", "--is-inside-work-tree").strip() == b"true"
        if not inside:
            return None
        head = _git(directory, "rev-parse", "--verify", "--quiet", "HEAD").decode().strip()
        branch = _git(directory, "symbolic-ref", "--short", "--quiet", "HEAD").decode().strip()
        left_out = [f":(top,exclude,icase,glob)**/{pattern}" for pattern in MAY_HOLD_KEYS]
        against = ("HEAD",) if head else ("--cached",)
        diff = _git(directory, "diff", "--no-color", "--no-ext-diff", "--no-textconv", *against, "--", ":/", *left_out)
        untracked = _git(directory, "ls-files", "--others", "--exclude-standard", "-z", ":/")
    except (OSError, subprocess.SubprocessError):
        return None
    return GitState(
        commit=head or None,
        branch=branch or None,
        diff=diff[:DIFF_BYTES].decode("utf-8", "replace"),
        diff_cut=len(diff) > DIFF_BYTES,
        untracked=untracked.count(b"\0"),
    )


def write_sweep_json(path: Path, info: SweepInfo, disk: FileOperations = FILE_OPERATIONS) -> None:
    """Write sweep.json atomically.

    Raises:
        RecordsError: The file cannot be written.
    """
    replace_file(path, json.dumps(asdict(info), indent=2, ensure_ascii=False).encode(), disk)


def read_sweep_json(path: Path) -> SweepInfo:
    """Read sweep.json, ignoring fields that this version does not know.

    Raises:
        RecordsError: The file cannot be read, is incomplete, or was written by a newer version.
    """
    try:
        held = ADDED | json.loads(path.read_bytes())
        version = held["schema"]
        if version > SCHEMA_VERSION:
            raise RecordsError(
                f"{path} has schema version {version}, but this program reads up to {SCHEMA_VERSION}: "
                "install a newer sweep-orchestrator"
            )
        git = held["git"] and GitState(**{name: held["git"][name] for name in GitState.__dataclass_fields__})
        return SweepInfo(**{name: held[name] for name in SweepInfo.__dataclass_fields__} | {"git": git})
    except OSError as error:
        raise RecordsError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, TypeError) as error:
        raise RecordsError(f"{path} is damaged: {error}") from error
    except KeyError as error:
        raise RecordsError(f"{path} is incomplete: it has no {error}") from error


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions


def _git(directory: Path, *arguments: str) -> bytes:
    """The first DIFF_BYTES + 1 bytes that git prints; none if it fails. Takes no locks."""
    command = ["git", "--no-optional-locks", "-C", str(directory), *arguments]
    with tempfile.TemporaryFile() as output:  # with a pipe, a huge diff would be in memory as a whole
        subprocess.run(command, stdout=output, stderr=subprocess.DEVNULL, timeout=GIT_SECONDS, check=False)
        output.seek(0)
        return output.read(DIFF_BYTES + 1)
