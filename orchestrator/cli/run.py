"""The commands that run sweeps: launch, resume, stop, add."""

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
    Gpus,
    Name,
    On,
    Results,
    Seed,
    Set,
    SpecFile,
    SweepName,
    Trials,
)
from orchestrator.errors import UserError

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
    name: Name = None,
    on: On = ON,
    cpus: Cpus = None,
    gpus: Gpus = None,
    results: Results = RESULTS,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="End the sweep when a trial has failed.")] = False,
    max_failures: Annotated[
        int | None,
        typer.Option("--max-failures", min=0, help="budget.max_failures: failed trials that are allowed."),
    ] = None,
    profile: Profile = False,
) -> None:
    """Run a sweep to its end."""
    if fail_fast and max_failures is not None:
        raise UserError("--fail-fast is --max-failures 0: give one of them")
    changes = options.overrides(
        set_,
        trials=trials,
        seed=seed,
        concurrency=concurrency,
        name=name,
        max_failures=0 if fail_fast else max_failures,
    )
    source = options.checked(spec, changes)

    from orchestrator.cli.watching import watched
    from orchestrator.launch import launch
    from orchestrator.placement import engine_at

    engine = engine_at(on, cpus=cpus, gpus=gpus)
    watched(
        lambda observer: launch(source, results=results, engine=engine, observer=observer),
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
    allow_change: Annotated[
        bool, typer.Option("--allow-change", help="Go on although the trainable's code or the data changed.")
    ] = False,
    on: On = ON,
    cpus: Cpus = None,
    gpus: Gpus = None,
    results: Results = RESULTS,
    profile: Profile = False,
) -> None:
    """Finish a sweep that was cut off, or let it grow.

    It goes on from its records. Trials that were running go on from their last checkpoint."""
    from orchestrator.cli.watching import watched
    from orchestrator.growth import Growth
    from orchestrator.placement import engine_at
    from orchestrator.records.find import find
    from orchestrator.resume import resume
    from orchestrator.rows import State

    paths = find(results, sweep)
    growth = Growth(trials=trials, hours=hours, max_steps=max_steps, concurrency=concurrency)
    again = [State(state) for state in retry or ()]
    engine = engine_at(on, cpus=cpus, gpus=gpus)
    watched(
        lambda observer: resume(
            paths, growth=growth, again=again, allow_change=allow_change, engine=engine, observer=observer
        ),
        name=paths.name,
        results=results,
        profile=profile,
    )


def stop(
    sweep: SweepName = None,
    trial: Annotated[int | None, typer.Option("--trial", min=0, help="End only this trial.")] = None,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for the trials' next reports.")] = False,
    results: Results = RESULTS,
) -> None:
    """Stop a running sweep, from any machine that sees its directory. `sweep resume` goes on with it.

    Running trials end at their next report. Returns when the sweep has ended."""
    from orchestrator.cli import asking
    from orchestrator.records.find import find

    asking.stop(find(results, sweep), trial=trial, now=now)


def add(
    sweep: SweepName = None,
    config: Annotated[
        list[str] | None,
        typer.Option("--config", metavar="YAML", help="A configuration to try next, as '{lr: 0.01}'. Repeatable."),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", min=1, help="Trials at once from now on, as far as they fit.")
    ] = None,
    results: Results = RESULTS,
) -> None:
    """Give a running sweep configurations to try, or more slots.

    They come on top of the budget's trials. Returns when they are recorded."""
    from orchestrator.cli import asking
    from orchestrator.records.find import find

    if not config and concurrency is None:
        raise UserError("there is nothing to add: give --config or --concurrency")
    asking.add(find(results, sweep), config or [], concurrency)
