"""`sweep launch`: runs a new sweep."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.options import Concurrency, MaxGpus, Name, Seed, Set, SpecFile, Trials
from orchestrator.cli.run_options import LaunchOptions, with_run_options
from orchestrator.cli.start_sweep import start
from orchestrator.errors import OptionsError


@with_run_options
def launch(
    spec: SpecFile,
    set_: Set = None,
    trials: Trials = None,
    seed: Seed = None,
    concurrency: Concurrency = None,
    max_gpus: MaxGpus = None,
    name: Name = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop the sweep when a trial fails.")] = False,
    max_failures: Annotated[
        int | None,
        typer.Option("--max-failures", metavar="N", min=0, help="budget.max_failures: stop when more trials fail."),
    ] = None,
    *,
    run: LaunchOptions,
) -> None:
    """Run a sweep.

    Prints each trial as it starts and ends, and the best trials at the end. Ctrl-C stops the sweep; sweep resume
    continues it."""
    if fail_fast and max_failures is not None:
        raise OptionsError("--fail-fast and --max-failures cannot be combined")
    changes = options.overrides(
        set_,
        trials=trials,
        seed=seed,
        concurrency=concurrency,
        max_gpus=max_gpus,
        name=name,
        max_failures=0 if fail_fast else max_failures,
    )
    start(options.checked(spec, changes), run)
