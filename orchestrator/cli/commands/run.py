"""The commands that run sweeps: launch, resume."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.where import Jobs
from orchestrator.cli import options
from orchestrator.cli.options import (
    CLUSTER_RESULTS,
    ON,
    RESULTS,
    ClusterResults,
    Concurrency,
    Cpus,
    Detach,
    Gpus,
    MaxGpus,
    Name,
    Nodes,
    On,
    Results,
    Seed,
    Set,
    SpecFile,
    SweepName,
    Trials,
    Wait,
)
from orchestrator.errors import UserError

if TYPE_CHECKING:
    from orchestrator.records.paths import SweepPaths
    from orchestrator.spec.source import Source

Profile = Annotated[bool, typer.Option("--profile", help="Say at the end where the time of the slots went.")]


class Retry(StrEnum):
    """What of a sweep can be tried once more."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    DIVERGED = "diverged"


def launch_(
    spec: SpecFile,
    set_: Set = None,
    trials: Trials = None,
    seed: Seed = None,
    concurrency: Concurrency = None,
    max_gpus: MaxGpus = None,
    name: Name = None,
    on: On = ON,
    wait: Wait = False,
    cpus: Cpus = None,
    gpus: Gpus = None,
    nodes: Nodes = None,
    results: Results = RESULTS,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="End the sweep when a trial has failed.")] = False,
    max_failures: Annotated[
        int | None,
        typer.Option("--max-failures", min=0, help="budget.max_failures: failed trials that are allowed."),
    ] = None,
    profile: Profile = False,
    cluster_results: ClusterResults = CLUSTER_RESULTS,
    detach: Detach = False,
) -> None:
    """Run a sweep to its end."""
    if fail_fast and max_failures is not None:
        raise UserError("--fail-fast is --max-failures 0: give one of them")
    changes = options.overrides(
        set_,
        trials=trials,
        seed=seed,
        concurrency=concurrency,
        max_gpus=max_gpus,
        name=name,
        max_failures=0 if fail_fast else max_failures,
    )
    begin(
        options.checked(spec, changes),
        spec=lambda _: spec,
        changes=changes,
        on=on,
        wait=wait,
        cpus=cpus,
        gpus=gpus,
        nodes=nodes,
        results=results,
        profile=profile,
        cluster_results=cluster_results,
        detach=detach,
    )


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
        on, wait, cpus, gpus, nodes, results, profile, cluster_results, detach: As for ``launch_``.

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


def resume_(
    sweep: SweepName = None,
    trials: Annotated[int | None, typer.Option("--trials", min=1, help="A new total of trials.")] = None,
    hours: Annotated[float | None, typer.Option("--hours", min=0, help="A new total of hours.")] = None,
    max_steps: Annotated[
        int | None,
        typer.Option("--max-steps", min=1, help="A new total of steps of a full training; the best go on."),
    ] = None,
    retry: Annotated[
        list[Retry] | None,
        typer.Option("--retry", help="Try trials that ended so once more, as new trials. Repeatable."),
    ] = None,
    concurrency: Concurrency = None,
    max_gpus: MaxGpus = None,
    allow_change: Annotated[
        bool, typer.Option("--allow-change", help="Go on although the trainable's code or the data changed.")
    ] = False,
    on: On = ON,
    wait: Wait = False,
    cpus: Cpus = None,
    gpus: Gpus = None,
    nodes: Nodes = None,
    results: Results = RESULTS,
    profile: Profile = False,
    detach: Detach = False,
) -> None:
    """Finish a sweep that was cut off, or let it grow.

    It goes on from its records. Trials that were running go on from their last checkpoint. A sweep that was sent to a
    cluster goes on there, with the code as it is here now."""
    from orchestrator.cli.live.watched_launch import watched
    from orchestrator.core.extend import Extension
    from orchestrator.core.rows import State
    from orchestrator.driver.resume import resume
    from orchestrator.records.find import find, find_here
    from orchestrator.sites.placement import engine_at
    from orchestrator.sites.profiles import site
    from orchestrator.sites.remote_record import read_remote

    here = find_here(results, sweep)
    if (sent := read_remote(here)) is not None:
        from orchestrator.cli.remote import remote_sweep

        options.check_own_machine(sent.address, cpus=cpus, gpus=gpus)
        remote_sweep.resume(
            here,
            sent,
            arguments=options.as_words(
                trials=trials,
                hours=hours,
                max_steps=max_steps,
                retry=retry,
                concurrency=concurrency,
                max_gpus=max_gpus,
                allow_change=allow_change,
                wait=wait,
                profile=profile,
            ),
            place=None if on == ON else site(on),
            results=results,
            detach=detach,
        )
        return
    paths = find(results, sweep)
    if (batch := options.batch(on, nodes=nodes, detach=detach, cpus=cpus, gpus=gpus)) is not None:
        from orchestrator.cli.remote.slurm_job import resume_queued

        words = options.as_words(
            trials=trials,
            hours=hours,
            max_steps=max_steps,
            concurrency=concurrency,
            max_gpus=max_gpus,
            allow_change=allow_change,
            wait=wait,
            profile=profile,
        )
        once = options.as_words(retry=retry)
        resume_queued(paths, batch, nodes=nodes, detach=detach, arguments=words, once=once)
        return
    extension = Extension(trials=trials, hours=hours, max_steps=max_steps, concurrency=concurrency, max_gpus=max_gpus)
    again = [State(state) for state in retry or ()]
    engine = engine_at(on, cpus=cpus, gpus=gpus)
    waiting = options.waiting(on, wait)
    watched(
        lambda observer: resume(
            paths,
            extension=extension,
            again=again,
            allow_change=allow_change,
            engine=engine,
            observer=observer,
            wait=waiting,
        ),
        name=paths.name,
        results=results,
        profile=profile,
    )
