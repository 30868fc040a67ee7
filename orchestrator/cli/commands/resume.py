"""`sweep resume`: resumes an interrupted sweep, or extends a finished one."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.options import ON, Concurrency, MaxGpus, Project, SweepName
from orchestrator.cli.run_options import RunOptions, with_run_options


class Retry(StrEnum):
    """The states of ended trials that can be tried again."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    DIVERGED = "diverged"


@with_run_options
def resume(
    sweep: SweepName = None,
    trials: Annotated[int | None, typer.Option("--trials", metavar="N", min=1, help="New total of trials.")] = None,
    hours: Annotated[float | None, typer.Option("--hours", metavar="H", min=0, help="New total of hours.")] = None,
    target: Annotated[
        float | None, typer.Option("--target", metavar="VALUE", help="New target of the objective (budget.target).")
    ] = None,
    patience: Annotated[
        int | None, typer.Option("--patience", metavar="N", min=1, help="New number of trials without a gain.")
    ] = None,
    max_steps: Annotated[
        int | None,
        typer.Option(
            "--max-steps", metavar="N", min=1, help="New length of a full training; the best trials train on to it."
        ),
    ] = None,
    max_time: Annotated[
        str | None,
        typer.Option(
            "--max-time", metavar="TIME", help="New time of a training: 2h, 90m; the best trials train on to it."
        ),
    ] = None,
    retry: Annotated[
        list[Retry] | None,
        typer.Option(
            "--retry",
            metavar="STATE",
            help="Retry failed, cancelled or diverged trials, as new trials. Repeatable.",
        ),
    ] = None,
    concurrency: Concurrency = None,
    max_gpus: MaxGpus = None,
    allow_change: Annotated[
        bool, typer.Option("--allow-change", help="Resume even if the trainable's code or the data has changed.")
    ] = False,
    project: Project = None,
    *,
    run: RunOptions,
) -> None:
    """Resume an interrupted sweep, or extend a finished one.

    Resumes from the recorded results; running trials restart from their last checkpoint. A sweep on a cluster resumes
    there, with the code as it is here now."""
    from orchestrator.cli.live.session_display import SessionDisplay
    from orchestrator.core.extend import Extension
    from orchestrator.core.rows import State
    from orchestrator.driver.resume import resume
    from orchestrator.records.find import find, find_here
    from orchestrator.records.remote_record import read_remote

    extension = Extension(
        trials=trials,
        hours=hours,
        target=target,
        patience=patience,
        max_steps=max_steps,
        max_time=None if max_time is None else options.as_seconds("--max-time", max_time),
        concurrency=concurrency,
        max_gpus=max_gpus,
    )
    words = options.as_words(**asdict(extension), allow_change=allow_change)
    retry_words = options.as_words(retry=retry)
    here = find_here(run.results, sweep)
    if (sent := read_remote(here)) is not None:
        from orchestrator.cli.remote import remote_sweep

        run.check_no_local_limits(sent.address)
        place = None if run.on == ON else run.site()
        remote_sweep.resume(here, sent, run, place=place, project=project, arguments=[*words, *retry_words])
        return
    paths = find(run.results, sweep)
    if (slurm := run.slurm_site()) is not None:
        from orchestrator.cli.remote.slurm_job import resume_queued

        moved = options.as_words(project=project and project.absolute())
        resume_queued(paths, slurm, run, arguments=[*words, *moved], once=retry_words)
        return
    engine, waiting = run.engine(), run.waiting()
    with SessionDisplay(name=paths.name, profile=run.profile, as_json=run.as_json) as display:
        resume(
            paths,
            extension=extension,
            again=[State(state) for state in retry or ()],
            allow_change=allow_change,
            project=project,
            engine=engine,
            observer=display.observer,
            wait=waiting,
            grace_s=run.grace,
            told=display.say,
        )
