"""Commands that go on from what a sweep has found: next, confirm."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.commands import run
from orchestrator.cli.commands.read import refresh
from orchestrator.cli.formats import say
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
    SweepName,
    Wait,
)
from orchestrator.errors import UserError


def next_(
    sweep: SweepName = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="The file to write, or a directory; beside the sweep's own spec if left out.",
            show_default=False,
        ),
    ] = None,
    results: Results = RESULTS,
) -> None:
    """Write the spec of the next sweep, by what this one has found.

    Ranges close in on the best trials, or go on beyond a bound at which these lie; options that never did well go; what
    does not matter is fixed where there are too few trials; the search begins with the best so far. Each change has its
    reason behind the line. The rest of the spec stays as you wrote it. Prints the name of the file; nothing is
    overwritten."""
    from orchestrator.analysis.next_spec.succession import succeed
    from orchestrator.cli.views.next_spec import summary
    from orchestrator.records.find import find
    from orchestrator.records.provenance import read_sweep_json

    refresh(results, sweep)
    paths = find(results, sweep)
    found = succeed(paths, read_sweep_json(paths.info), output)
    shown = found.file.relative_to(Path.cwd()) if found.file.is_relative_to(Path.cwd()) else found.file
    try:
        with found.file.open("x") as file:
            file.write(found.text)
    except OSError as error:
        raise UserError(f"cannot write {found.file}: {error.strerror or error}; name another place with -o") from error
    say(summary(found, shown))
    typer.echo(shown)


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
    on: On = ON,
    wait: Wait = False,
    cpus: Cpus = None,
    gpus: Gpus = None,
    nodes: Nodes = None,
    results: Results = RESULTS,
    cluster_results: ClusterResults = CLUSTER_RESULTS,
    detach: Detach = False,
) -> None:
    """Train the best configurations again, with fresh seeds.

    Then say which is the best and how surely, and how much its first figure flattered: the best of many trials looks
    better than it is. It is a new sweep, of the method list, with every training in full; sweep show --repeats has what
    came out again. The winner is scored on the test part, if the trainable says how."""
    from orchestrator.after.confirm import confirmation
    from orchestrator.analysis.summary.overview import overview
    from orchestrator.cli.views.confirmation import conclude, spec_file
    from orchestrator.records.find import find
    from orchestrator.records.provenance import read_sweep_json

    refresh(results, sweep)
    paths = find(results, sweep)
    if overview(paths).status.startswith("running"):
        say(f"{paths.name} still runs: these are its best so far")
    changes = options.overrides(set_, seed=seed, concurrency=concurrency, max_gpus=max_gpus, name=name)
    source = confirmation(paths, read_sweep_json(paths.info), best=top, seeds=seeds, overrides=changes)
    done = run.begin(
        source,
        spec=spec_file,
        changes=[],
        on=on,
        wait=wait,
        cpus=cpus,
        gpus=gpus,
        nodes=nodes,
        results=results,
        profile=False,
        cluster_results=cluster_results,
        detach=detach,
    )
    conclude(done, name=source.name, evaluate=evaluate)
