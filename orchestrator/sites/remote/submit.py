"""Sends a sweep to a cluster as a Ray Job: packs the code, submits our command line, and writes remote.json."""

from __future__ import annotations

import os
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
from orchestrator.records.remote_record import Remote, read_remote, write_remote
from orchestrator.sites.code_origin import CODE, JOB, CodeOrigin
from orchestrator.sites.remote.job_output import announced
from orchestrator.sites.remote.package import program, project
from orchestrator.spec import Spec


def snapshot_of(spec: Path, *, without: Sequence[Path]) -> Snapshot:
    """The files to send with a spec.

    Args:
        spec: The spec's file.
        without: Results directories, which are not sent.

    Raises:
        UserError: The spec itself is excluded.
        ClusterError: The files are too large.
    """
    snapshot = take(project_of(spec.resolve().parent), without=without)
    name = spec.resolve().relative_to(snapshot.root.resolve()).as_posix()
    if name not in snapshot.sizes:
        raise UserError(
            f"{spec} is excluded by an ignore file or by its name, so it would not be sent; "
            f"to include it, add a line !{name} to {snapshot.root / IGNORE}"
        )
    check_size(snapshot)
    return snapshot


def excluded_files(spec: Spec, base: Path, snapshot: Snapshot) -> list[str]:
    """Files and folders named under `fixed:` that are in the project but excluded, as paths relative to its root."""
    root = snapshot.root.resolve()
    named = [(base / value).resolve() for value in spec.fixed.values() if isinstance(value, str) and value]
    files = [path.relative_to(root).as_posix() for path in named if path.is_relative_to(root) and path.is_file()]
    folders = [path.relative_to(root).as_posix() for path in named if root in path.parents and path.is_dir()]
    sent = {parent.as_posix() for name in snapshot.sizes for parent in PurePosixPath(name).parents}
    return [*(name for name in files if name not in snapshot.sizes), *(name for name in folders if name not in sent)]


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
    """Submit a launch or a resume, and write remote.json.

    Args:
        jobs: The cluster's Jobs API.
        paths: The sweep's files on this machine.
        spec: The spec's file on this machine.
        snapshot: The files to send.
        arguments: The command line there, without --on and --results.
        command: The command line that the user typed.
        results: The results directory there, absolute or starting with ~.
        runtime_env: Ray's runtime environment: packages and environment variables.

    Raises:
        ClusterError: The cluster refused the job.
    """
    spec = spec.resolve()
    within = spec.parent.relative_to(snapshot.root.resolve())
    job = f"sweep-{paths.name}-{uuid.uuid4().hex[:8]}"

    def origin(digest: str) -> CodeOrigin:
        return CodeOrigin(
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
            shell_command(arguments, results=results, on="auto", directory=PurePosixPath(CODE, within)),
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
    """Run our command line on the cluster, where the sweep's files are, and return the id of the job.

    Args:
        jobs: The cluster's Jobs API.
        remote: The sweep's remote.json.
        arguments: The command line, without --results.
    """
    return submit_program(jobs, shell_command(arguments, results=str(Path(remote.directory).parent)), name=arguments[0])


def submit_program(jobs: Jobs, command: str, *, name: str) -> str:
    """Run a command on the cluster, in a package with only this program, and return the id of the job."""
    job = f"sweep-{name}-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch, "program.zip")
        program(package)
        jobs.submit(command, job=job, package=package)
    return job


def shell_command(
    arguments: Sequence[str], *, results: str, on: str = "", directory: PurePosixPath | None = None
) -> str:
    """Our command line for the shell of a job; ``exec``, so that signals to the job reach our process."""
    place = f'"$HOME"{shlex.quote(results[1:])}' if results.startswith("~/") else shlex.quote(results)
    words = [shlex.join(["python", "-m", "orchestrator", *arguments]), "--results", place]
    words += ["--on", on] if on else []
    return f"cd {shlex.quote(str(directory or '.'))} && exec {' '.join(words)}"


def checked_results(results: str) -> str:
    """A results directory on the cluster, normalised.

    Raises:
        UserError: The path is not absolute and does not start with ~/.
    """
    if not results.startswith(("/", "~/")):
        raise UserError(f"--there {results!r} must start with / or ~/, because it is a directory on the cluster")
    return os.path.normpath(results)


def refresh(jobs: Jobs, paths: SweepPaths, remote: Remote, directory: str = "") -> Remote:
    """Update remote.json with the job's status and, once the job has printed it, the sweep's directory.

    Args:
        jobs: The cluster's Jobs API.
        paths: The sweep's files on this machine.
        remote: The current remote.json.
        directory: The sweep's directory on the cluster, if known; else the job's output is searched for it.
    """
    status = jobs.status(remote.job)
    directory = directory or remote.directory or directory_in(jobs.output(remote.job))
    now = replace(remote, status=status.word, ended=status.ended, directory=directory)
    if now != remote:
        write_remote(paths, now)
    return now


def directory_in(output: str) -> str:
    """The sweep's directory on the cluster, from the driver's output; "" if it is not printed yet."""
    return next(filter(None, map(announced, output.splitlines())), "")
