"""A sweep's provenance, stored in sweep.json: what is needed to know what ran, and to run it again.

Contains no secrets: no environment variables, no addresses of git remotes, no files that usually contain keys.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from cluster.secret_files import is_secret
from orchestrator.errors import DamagedError, RecordsError
from orchestrator.records import SCHEMA_VERSION
from orchestrator.records.atomic_files import FILE_OPERATIONS, FileOperations, replace_file
from orchestrator.records.masking import masked
from orchestrator.records.plain_files import parse_as, read_plain
from orchestrator.spec.given import Given
from orchestrator.spec.keep_policy import KeepText
from orchestrator.spec.recorded_spec import with_dotted_names

PACKAGES = ("sweep-orchestrator", "ray", "torch", "numpy", "pyarrow", "pandas", "optuna")
DIFF_BYTES = 256 * 1024
GIT_SECONDS = 5.0

_USER_INFO = re.compile(r"//[^/@\s]+@")


@dataclass(frozen=True, kw_only=True)
class _Version:
    schema: int


@dataclass(frozen=True, kw_only=True)
class _Objective:
    metric: str
    mode: Literal["min", "max"]
    at: Literal["best", "last"]


@dataclass(frozen=True, kw_only=True)
class _Search:
    method: str
    repeats: int = 1


@dataclass(frozen=True, kw_only=True)
class _Trial:
    keep: KeepText | None = None


@dataclass(frozen=True, kw_only=True)
class _Budget:
    trials: int | None = None
    hours: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Spec:
    """What is read of a recorded spec without parsing it, which a later version may refuse."""

    objective: _Objective
    search: _Search
    trial: _Trial
    budget: _Budget
    trainable: str | None = None
    command: str | list[str] | None = None
    space: dict[str, dict[str, Any]] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)
    scheduler: dict[str, Any] | None = None
    parent: str | None = None


@dataclass(frozen=True, kw_only=True)
class _WithSpec:
    spec: _Spec


@dataclass(frozen=True, kw_only=True)
class GitState:
    """The git state of the user's working directory."""

    commit: str | None  # None before the first commit
    branch: str | None  # None with a detached HEAD
    diff: str  # tracked files against the commit, at most DIFF_BYTES, without files that usually contain keys
    diff_cut: bool  # whether the diff was longer than DIFF_BYTES
    untracked: int  # the number of files in neither the commit nor the diff


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a trainable declares of the values that a hyperparameter may have."""

    low: float | None = None
    high: float | None = None
    choices: list[Any] = field(default_factory=list)  # empty: any


@dataclass(frozen=True, kw_only=True)
class SweepInfo:
    """The content of sweep.json."""

    schema: int  # the version of the record format
    name: str
    created: str  # ISO 8601, UTC
    seed: int
    trainable: str  # as in the spec; a program's command, in one line
    spec: dict[str, Any]  # the effective spec: defaults and --set applied
    command: list[str]
    directory: str  # the user's working directory
    host: str
    python: str
    versions: dict[str, str]  # versions of the installed packages
    git: GitState | None  # None outside of git
    fingerprints: dict[str, str]  # of the trainable's code and of the data
    resumed: list[dict[str, Any]]  # one entry per resume: time, command, changes
    engine: str = "local"  # the value of --on; this one and those below are missing in early records
    snapshot: str = ""  # the hash of the code that was sent to a cluster; "" if no code was sent
    jobs: list[str] = field(default_factory=list)  # the ids of the Ray jobs of the launch and the resumes
    curves: list[str] = field(default_factory=list)  # the metrics by which the trainable's fit is diagnosed
    limits: dict[str, Limits] = field(default_factory=dict)  # of the hyperparameters for which any are declared
    location: str = ""  # the sweep's own directory when it last ran
    given: Given | None = None  # how the trainable was given from Python; None: the spec names it

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
    limits: Mapping[str, Limits] | None = None,
    given: Given | None = None,
    location: Path | None = None,
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
        limits: What the trainable declares of values.
        given: How the trainable was given from Python, if it was.
        location: The sweep's directory.
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
        limits=dict(limits or {}),
        given=given,
        location="" if location is None else os.path.realpath(location),
        command=redacted(command),
        directory=str(directory),
        host=socket.gethostname(),
        python=platform.python_version(),
        versions=package_versions(),
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
        against = ("HEAD",) if head else ("--cached",)
        changed = _git(directory, "diff", "--no-renames", "--name-only", "-z", *against, "--", ":/").split(b"\0")
        secret = [name for name in map(os.fsdecode, changed) if name and is_secret(name)]
        left_out = [f":(top,exclude,literal){name}" for name in secret]
        how = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
        diff = _git(directory, "diff", *how, *against, "--", ":/", *left_out)
        untracked = _git(directory, "ls-files", "--others", "--exclude-standard", "-z", ":/")
    except (OSError, subprocess.SubprocessError):
        return None
    return GitState(
        commit=head or None,
        branch=branch or None,
        diff=masked(diff[:DIFF_BYTES].decode("utf-8", "replace")),
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
        RecordsError: The file cannot be read, is damaged, or was written by a newer version.
    """
    try:
        content = read_plain(path)
        version = parse_as(_Version, content).schema
        if version > SCHEMA_VERSION:
            raise RecordsError(
                f"{path} has schema version {version}, but this program reads up to {SCHEMA_VERSION}: "
                "install a newer sweep-orchestrator"
            )
        parse_as(_WithSpec, content)
        info: SweepInfo = parse_as(SweepInfo, content)
        if datetime.fromisoformat(info.created).tzinfo is None:
            raise ValueError(f"created: {info.created} has no time zone")
    except OSError as error:
        raise RecordsError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise DamagedError(f"{path} is damaged: {error}") from error
    return replace(info, spec=with_dotted_names(info.spec))


def package_versions() -> dict[str, str]:
    """The versions of PACKAGES that are installed."""
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
