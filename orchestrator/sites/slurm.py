"""Submits a sweep to Slurm: writes its description into its directory, and queues a job that resumes it there.

So every command finds a queued sweep, the code is compared with the submitted code when the job starts, and the job
does the same on its first run, after its time limit, and after a preemption.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from cluster.errors import ClusterError
from cluster.launchers import queue
from cluster.launchers.slurm import Job, JobFiles, script
from orchestrator.control import lease, slurm_status
from orchestrator.errors import ClusterUseError, StillRunningError, UserError
from orchestrator.records.paths import SweepPaths, claim
from orchestrator.sites.describe import describe
from orchestrator.sites.placement import free_slots
from orchestrator.sites.profiles import PACKAGES, Site
from orchestrator.spec.source import Source


def submit_launch(
    source: Source, site: Site, *, results: Path, nodes: int | None = None, arguments: Sequence[str] = ()
) -> tuple[SweepPaths, str]:
    """Queue a new sweep.

    Args:
        source: The checked spec.
        site: A profile for Slurm.
        results: The results directory, which all nodes see under the same path.
        nodes: The number of nodes; None for the profile's.
        arguments: Further options for `sweep resume`.

    Returns:
        The sweep's files, and the job's number.

    Raises:
        UserError: A trial does not fit, a secret is not set, or Slurm refuses. No directory is left behind.
        RecordsError: The directory cannot be created.
    """
    _check_secrets(site)
    if found := site.expected(source.spec, nodes):
        free_slots(source.spec, found)
    paths = claim(results.resolve(), source.name)
    try:
        describe(source, paths, site.name)
        return paths, _submit(paths, site, source.base, nodes, arguments, ())
    except BaseException:
        shutil.rmtree(paths.root)
        raise


def submit_resume(
    paths: SweepPaths,
    site: Site,
    *,
    nodes: int | None = None,
    arguments: Sequence[str] = (),
    once: Sequence[str] = (),
) -> str:
    """Queue the resume of a sweep, and return the job's number.

    Args:
        paths: The sweep's files.
        site: A profile for Slurm.
        nodes: The number of nodes; None for the profile's.
        arguments: Further options for `sweep resume`.
        once: Options for the first run only, not for later runs of the same job.

    Raises:
        UserError: The sweep is running or queued, a secret is not set, or Slurm refuses.
    """
    _check_secrets(site)
    if lease.status(paths.lease) in ("running", "running?"):
        raise StillRunningError(f"{paths.name} is running; stop it with: sweep stop {paths.name}")
    if (found := slurm_status.job_status(paths)) is not None:
        raise StillRunningError(f"{found.sentence()}, for {paths.name}; cancel it with: sweep stop {paths.name}")
    whole = SweepPaths(paths.root.resolve())
    return _submit(whole, site, Path.cwd(), nodes, arguments, once)


def _submit(
    paths: SweepPaths, site: Site, directory: Path, nodes: int | None, arguments: Sequence[str], once: Sequence[str]
) -> str:
    profile, files = site.profile, JobFiles(paths.slurm)
    packages = {PACKAGES: shlex.join(profile.packages)} if profile.packages else {}
    job = Job(
        name=paths.name,
        command=["-m", "orchestrator", "resume", paths.name, "--results", str(paths.root.parent), *arguments],
        once=once,
        files=files,
        directory=directory.resolve(),
        allocation=profile.allocation(nodes),
        modules=profile.modules,
        container=shlex.split(profile.container or ""),
        environment={**profile.env, **packages},
    )
    files.root.mkdir(mode=0o700, exist_ok=True)
    files.script.write_text(script(job))
    try:
        return queue.submit(files.script, files.ticket)
    except ClusterError as error:
        raise ClusterUseError(str(error)) from error


def _check_secrets(site: Site) -> None:
    missing = [name for name in site.profile.secrets if not os.environ.get(name)]
    if missing:
        raise UserError(f"{site.name} needs {' and '.join(missing)}, which is not set: export it and launch again")
