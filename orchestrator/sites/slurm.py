"""Hands a sweep to Slurm: describes it in its directory, and submits a job that resumes it there.

So a sweep that waits is found by every command, its code is held against what was submitted when it begins, and the
job does the same whenever it runs: for the first time, after its time limit, after it made way for another.
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
from orchestrator.driver.launch import describe
from orchestrator.errors import UserError
from orchestrator.records.paths import SweepPaths, claim
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
        results: Where sweeps land; all nodes see it under the same path.
        nodes: How many; None: the profile's.
        arguments: More options of `sweep resume`.

    Returns:
        The sweep's files, and the job's number.

    Raises:
        UserError: One trial does not fit, a secret is not set, or Slurm refuses; nothing was left behind.
        RecordsError: The directory cannot be made.
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
    """Queue a sweep that was begun before; the job's number.

    Args:
        paths: Its files.
        site: A profile for Slurm.
        nodes: How many; None: the profile's.
        arguments: More options of `sweep resume`.
        once: Those that do not hold when the job goes on after it was queued again.

    Raises:
        UserError: It runs or is queued already, a secret is not set, or Slurm refuses.
    """
    _check_secrets(site)
    if lease.status(paths.lease) in ("running", "running?"):
        raise UserError(f"{paths.name} is running; `sweep stop {paths.name}` stops it")
    if (found := slurm_status.standing(paths)) is not None:
        raise UserError(f"{found.sentence()}, for {paths.name}; `sweep stop {paths.name}` cancels it")
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
        raise UserError(str(error)) from error


def _check_secrets(site: Site) -> None:
    missing = [name for name in site.profile.secrets if not os.environ.get(name)]
    if missing:
        raise UserError(f"{site.name} needs {' and '.join(missing)}, not set here: export it, and launch again")
