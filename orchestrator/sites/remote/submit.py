"""Gives a sweep to a cluster as a Ray Job: packs the code, submits our own command line, and keeps the record of it."""

from __future__ import annotations

import os
import re
import shlex
import socket
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from cluster.jobs import Jobs
from cluster.snapshot import IGNORE, Snapshot, check_size, take
from cluster.snapshot import project as project_of
from orchestrator.errors import UserError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import git_state, redacted
from orchestrator.sites.code_origin import CODE, JOB, Origin
from orchestrator.sites.remote.package import program, project
from orchestrator.sites.remote_record import Remote, read_remote, write_remote
from orchestrator.spec import Spec

_RECORDING = re.compile(r"^recording in (.+)$", re.MULTILINE)
"""The line by which a driver says where its sweep is."""


def snapshot_of(spec: Path, *, without: Sequence[Path]) -> Snapshot:
    """The files that go along with a spec.

    Args:
        spec: The spec's file.
        without: Directories of results.

    Raises:
        UserError: The spec itself would stay behind.
        ClusterError: It is too large.
    """
    snapshot = take(project_of(spec.resolve().parent), without=without)
    name = spec.resolve().relative_to(snapshot.root.resolve()).as_posix()
    if name not in snapshot.sizes:
        raise UserError(
            f"{spec} would not be sent: an ignore file, or its name, leaves it out. "
            f"A line !{name} in {snapshot.root / IGNORE} takes it in"
        )
    check_size(snapshot)
    return snapshot


def left_behind(spec: Spec, base: Path, snapshot: Snapshot) -> list[str]:
    """The files named under `fixed:` that lie in the project and are not sent, as paths from its root."""
    root = snapshot.root.resolve()
    named = [(base / value).resolve() for value in spec.fixed.values() if isinstance(value, str) and value]
    files = [path.relative_to(root).as_posix() for path in named if path.is_relative_to(root) and path.is_file()]
    return [name for name in files if name not in snapshot.sizes]


def submit(
    jobs: Jobs,
    paths: SweepPaths,
    *,
    spec: Path,
    snapshot: Snapshot,
    arguments: Sequence[str],
    command: Sequence[str],
    results: str,
    runtime_env: Mapping[str, Any],
) -> Remote:
    """Submit a launch or a resume, and keep the record of it.

    Args:
        jobs: The cluster's.
        paths: Of the sweep, here; the record is written there.
        spec: The spec's file, here.
        snapshot: The files to send.
        arguments: What our command line is given there, without --on and --results.
        command: What the user typed here.
        results: The directory of sweeps there: absolute, or beginning with ~.
        runtime_env: What else Ray is to bring to the nodes: packages, environment variables.

    Raises:
        ClusterError: The cluster refused.
    """
    spec = spec.resolve()
    within = spec.parent.relative_to(snapshot.root.resolve())
    job = f"sweep-{paths.name}-{uuid.uuid4().hex[:8]}"

    def origin(digest: str) -> Origin:
        return Origin(
            host=socket.gethostname(),
            directory=str(spec.parent),
            within="" if within == Path() else within.as_posix(),
            command=redacted(command),
            git=git_state(spec.parent),
            snapshot=digest,
        )

    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch, "package.zip")
        digest = project(package, snapshot, origin)
        jobs.submit(
            in_shell(arguments, results=results, on="auto", directory=PurePosixPath(CODE, within)),
            job=job,
            package=package,
            runtime_env={**runtime_env, "env_vars": {**runtime_env.get("env_vars", {}), JOB: job}},
            about={"sweep": paths.name, "snapshot": digest},
        )
    before = read_remote(paths)
    remote = Remote(
        address=jobs.address,
        jobs=(*(before.jobs if before else ()), job),
        spec=str(spec),
        results=results,
        directory=before.directory if before else "",
        snapshot=digest,
        submitted=datetime.now(UTC).isoformat(timespec="seconds"),
        pulled=before.pulled if before else "",
        clock=before.clock if before else 0.0,
    )
    write_remote(paths, remote)
    return remote


def ask(jobs: Jobs, remote: Remote, arguments: Sequence[str]) -> str:
    """Have our command line asked something on the cluster, where the sweep is; the id of the job, to be followed.

    Args:
        jobs: The cluster's.
        remote: The sweep.
        arguments: Of the command line, without --results.
    """
    return submit_program(jobs, in_shell(arguments, results=str(Path(remote.directory).parent)), name=arguments[0])


def submit_program(jobs: Jobs, command: str, *, name: str) -> str:
    """Run a command on the cluster in a package with nothing but this program; the id of the job."""
    job = f"sweep-{name}-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch, "program.zip")
        program(package)
        jobs.submit(command, job=job, package=package)
    return job


def in_shell(arguments: Sequence[str], *, results: str, on: str = "", directory: PurePosixPath | None = None) -> str:
    """Our command line for the shell of a job. ``exec``: what is sent to the job is sent to us, and to no shell."""
    place = f'"$HOME"{shlex.quote(results[1:])}' if results.startswith("~/") else shlex.quote(results)
    words = [shlex.join(["python", "-m", "orchestrator", *arguments]), "--results", place]
    words += ["--on", on] if on else []
    return f"cd {shlex.quote(str(directory or '.'))} && exec {' '.join(words)}"


def checked_results(results: str) -> str:
    """A directory on the cluster as it was asked for.

    Raises:
        UserError: It is neither absolute nor begins with ~/.
    """
    if not results.startswith(("/", "~/")):
        raise UserError(f"--there {results!r} must begin with / or ~/: it is a directory on the cluster")
    return os.path.normpath(results)


def learned(jobs: Jobs, paths: SweepPaths, remote: Remote, output: str | None = None) -> Remote:
    """The record brought up to date: how the job is, and where its sweep is recorded, once it has said so.

    Args:
        jobs: The cluster's.
        paths: The sweep, here.
        remote: What was known.
        output: What the job has printed so far, if that is known already.
    """
    status = jobs.status(remote.job)
    directory = remote.directory or begun(jobs.output(remote.job) if output is None else output)
    now = replace(remote, status=status.word, ended=status.ended, directory=directory)
    if now != remote:
        write_remote(paths, now)
    return now


def begun(output: str) -> str:
    """The directory of the sweep there, by what its driver has printed; "" if it has not come so far."""
    found = _RECORDING.search(output)
    return found[1].strip() if found else ""
