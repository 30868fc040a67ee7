"""`sweep resume`: resumes an interrupted sweep, or extends a finished one."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.options import (
    ON,
    RESULTS,
    Concurrency,
    Cpus,
    Detach,
    Gpus,
    MaxGpus,
    Nodes,
    On,
    Profile,
    Results,
    SweepName,
    Wait,
)


class Retry(StrEnum):
    """What of a sweep can be tried once more."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    DIVERGED = "diverged"


def resume(
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
