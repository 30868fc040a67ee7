"""Starts a new sweep here, in a Slurm job, or as a job of a Ray cluster: what launch and confirm share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.where import Jobs
from orchestrator.errors import OptionsError

if TYPE_CHECKING:
    from orchestrator.cli.run_options import LaunchOptions
    from orchestrator.records.paths import SweepPaths
    from orchestrator.spec.source import Source


def start(source: Source, run: LaunchOptions) -> SweepPaths | None:
    """Run a new sweep in the place that the options name.

    Returns:
        The sweep's files; None if it runs elsewhere and its records are not here, or it has not ended.

    Raises:
        SweepError: As ``driver.launch.launch``; or the sweep cannot be handed to Slurm or to the cluster.
    """
    if (slurm := run.slurm_site()) is not None:
        from orchestrator.cli.remote.slurm_job import launch_queued

        if run.reuse:
            raise OptionsError(f"--reuse is not possible with --on {run.on}: a Slurm job only resumes")

        queued = launch_queued(source, slurm, run)
        return None if run.detach else queued
    site = run.site()
    if isinstance(site.where, Jobs):
        from orchestrator.cli.remote import remote_sweep

        run.check_no_local_limits(run.on)
        remote_sweep.launch(source, site, run)
        return None

    from orchestrator.cli.live.session_display import SessionDisplay
    from orchestrator.driver.launch import launch

    engine, waiting = run.engine(), run.waiting()
    with SessionDisplay(name=source.name, profile=run.profile, as_json=run.as_json) as display:
        return launch(
            source,
            results=run.results,
            engine=engine,
            observer=display.observer,
            wait=waiting,
            grace_s=run.grace,
            reuse=run.reuse,
        )
