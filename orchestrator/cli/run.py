"""The command that runs sweeps: launch."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.options import (
    RESULTS,
    Concurrency,
    Cpus,
    Gpus,
    Name,
    Results,
    Seed,
    Set,
    SpecFile,
    Trials,
)
from orchestrator.errors import UserError


def launch(
    spec: SpecFile,
    set_: Set = None,
    trials: Trials = None,
    seed: Seed = None,
    concurrency: Concurrency = None,
    name: Name = None,
    cpus: Cpus = None,
    gpus: Gpus = None,
    results: Results = RESULTS,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="End the sweep when a trial has failed.")] = False,
    max_failures: Annotated[
        int | None,
        typer.Option("--max-failures", min=0, help="budget.max_failures: failed trials that are allowed."),
    ] = None,
) -> None:
    """Run a sweep to its end on this machine."""
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

    from orchestrator.cli.watching import run
    from orchestrator.placement import Machine

    run(source, results=results, machine=Machine(cpus=cpus, gpus=gpus))
