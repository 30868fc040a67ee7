"""Starts a new sweep here, in a Slurm job, or as a job of a Ray cluster: what launch and confirm share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.where import Jobs
from orchestrator.cli import options

if TYPE_CHECKING:
    from orchestrator.records.paths import SweepPaths
    from orchestrator.spec.source import Source


def begin(
    source: Source,
    *,
    spec: Callable[[Source], Path],
    changes: list[str],
    on: str,
    wait: bool,
    cpus: int | None,
    gpus: int | None,
    nodes: int | None,
    results: Path,
    profile: bool,
    cluster_results: str,
    detach: bool,
) -> SweepPaths | None:
    """Run a new sweep wherever it is to run.

    Args:
        source: The checked spec.
        spec: Gives the spec's file, which has to be in the project if that is sent elsewhere.
        changes: The overrides that were made of that file.
        on, wait, cpus, gpus, nodes, results, profile, cluster_results, detach: As for ``launch.launch``.

    Returns:
        The files of the sweep, if it has come to its end and they are here.
    """
    if (batch := options.batch(on, nodes=nodes, detach=detach, cpus=cpus, gpus=gpus)) is not None:
        from orchestrator.cli.remote.slurm_job import launch_queued

        words = options.as_words(wait=wait, profile=profile)
        queued = launch_queued(source, batch, results=results, nodes=nodes, detach=detach, arguments=words)
        return None if detach else queued

    from orchestrator.cli.live.watched_launch import watched
    from orchestrator.driver.launch import launch
    from orchestrator.sites.placement import engine_at
    from orchestrator.sites.profiles import site

    place = site(on)
    if isinstance(place.where, Jobs):
        from orchestrator.cli.remote import remote_sweep

        options.check_own_machine(on, cpus=cpus, gpus=gpus)
        remote_sweep.launch(
            source,
            place,
            spec=spec(source),
            changes=changes,
            more=options.as_words(wait=wait, profile=profile),
            results=results,
            there=cluster_results,
            detach=detach,
        )
        return None
    engine = engine_at(on, cpus=cpus, gpus=gpus)
    waiting = options.waiting(on, wait)
    return watched(
        lambda observer: launch(source, results=results, engine=engine, observer=observer, wait=waiting),
        name=source.name,
        results=results,
        profile=profile,
    )
