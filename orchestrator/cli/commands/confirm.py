"""`sweep confirm`: trains the best configurations again, with fresh seeds."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.formats import say
from orchestrator.cli.open_sweep import open_sweep
from orchestrator.cli.options import Concurrency, MaxGpus, Name, Project, Seed, Set, SweepName
from orchestrator.cli.run_options import LaunchOptions, with_run_options
from orchestrator.cli.start_sweep import start


@with_run_options
def confirm(
    sweep: SweepName = None,
    top: Annotated[
        int, typer.Option("--top", metavar="N", min=1, help="Number of configurations, the best first.")
    ] = 5,
    seeds: Annotated[
        int, typer.Option("--seeds", metavar="N", min=1, help="Number of seeds for each configuration.")
    ] = 5,
    evaluate: Annotated[
        bool,
        typer.Option(
            "--evaluate/--no-evaluate", help="Score the winner on the test set, if the trainable has evaluate."
        ),
    ] = True,
    set_: Set = None,
    seed: Seed = None,
    concurrency: Concurrency = None,
    max_gpus: MaxGpus = None,
    name: Name = None,
    project: Project = None,
    *,
    run: LaunchOptions,
) -> None:
    """Train the best configurations again, with fresh seeds.

    The best of many trials looks better than it is. This runs a new sweep that trains each configuration in full,
    several times, then prints which is best, how certain that is, and by how much the first result flattered it."""
    from orchestrator.after.confirm import confirming_sweep
    from orchestrator.analysis.summary.overview import overview
    from orchestrator.cli.views.confirm import print_verdict
    from orchestrator.records.provenance import read_sweep_json

    paths = open_sweep(run.results, sweep)
    if overview(paths).status.startswith("running"):
        say(f"{paths.name} is still running; confirming its best trials so far")
    changes = options.overrides(set_, seed=seed, concurrency=concurrency, max_gpus=max_gpus, name=name)
    info = read_sweep_json(paths.info)
    source = confirming_sweep(paths, info, best=top, seeds=seeds, overrides=changes, project=project)
    print_verdict(start(source, run), name=source.name, evaluate=evaluate, as_json=run.as_json)
