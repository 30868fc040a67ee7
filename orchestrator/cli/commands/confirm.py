"""`sweep confirm`: trains the best configurations again, with fresh seeds."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.formats import say
from orchestrator.cli.options import Concurrency, MaxGpus, Name, Seed, Set, SweepName
from orchestrator.cli.refresh import refresh
from orchestrator.cli.run_options import LaunchOptions, with_run_options
from orchestrator.cli.start_sweep import start


@with_run_options
def confirm(
    sweep: SweepName = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many of the best configurations.")] = 5,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How often each of them is trained.")] = 5,
    evaluate: Annotated[
        bool,
        typer.Option("--evaluate/--no-evaluate", help="Score the winner on the test part, if the trainable says how."),
    ] = True,
    set_: Set = None,
    seed: Seed = None,
    concurrency: Concurrency = None,
    max_gpus: MaxGpus = None,
    name: Name = None,
    *,
    run: LaunchOptions,
) -> None:
    """Train the best configurations again, with fresh seeds.

    Then say which is the best and how surely, and how much its first figure flattered: the best of many trials looks
    better than it is. It is a new sweep, of the method list, with every training in full; sweep show --repeats has what
    came out again. The winner is scored on the test part, if the trainable says how."""
    from orchestrator.after.confirm import confirmation
    from orchestrator.analysis.summary.overview import overview
    from orchestrator.cli.views.confirmation import conclude
    from orchestrator.records.find import find
    from orchestrator.records.provenance import read_sweep_json

    refresh(run.results, sweep)
    paths = find(run.results, sweep)
    if overview(paths).status.startswith("running"):
        say(f"{paths.name} still runs: these are its best so far")
    changes = options.overrides(set_, seed=seed, concurrency=concurrency, max_gpus=max_gpus, name=name)
    source = confirmation(paths, read_sweep_json(paths.info), best=top, seeds=seeds, overrides=changes)
    conclude(start(source, run), name=source.name, evaluate=evaluate)
