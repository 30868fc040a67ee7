"""`sweep export`: a sweep as other tools read it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.formats import say
from orchestrator.cli.options import RESULTS, Results, SweepName
from orchestrator.cli.refresh import refresh
from orchestrator.errors import UserError
from orchestrator.export.target import Target
from orchestrator.formatting import count, size

NEXT = {
    Target.CSV: "trials.csv, metrics.csv and events.csv, {size}",
    Target.TENSORBOARD: "{size}; to see it: tensorboard --logdir {to}",
    Target.MLFLOW: "{size}; to see it: mlflow ui --backend-store-uri sqlite:///{to}/mlflow.db",
}

EVERY = 20
"""After so many trials it is said how far an export is."""


def export(
    sweep: SweepName = None,
    *,
    to: Annotated[Target, typer.Option("--to", help="What shall read it.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="The directory to make; ./SWEEP-TARGET if left out.",
            show_default=False,
        ),
    ] = None,
    results: Results = RESULTS,
) -> None:
    """Write a sweep's records for a spreadsheet, TensorBoard or MLflow.

    Into a new directory, whose name it prints; nothing is overwritten. Of a sweep that runs, what it has recorded by
    now. TensorBoard and MLflow need their extras: pip install 'sweep-orchestrator[mlflow]'."""
    from orchestrator.export.target import export
    from orchestrator.records.find import find, find_here

    refresh(results, sweep)
    paths = find(results, sweep)
    directory = output or Path(f"{paths.name}-{to}")
    if find_here(results, sweep).root.resolve() in directory.resolve().parents:
        raise UserError(f"{directory} lies in the sweep: nothing but its driver writes there; name another with -o")
    export(paths, to, directory, told=_tell if sys.stderr.isatty() else lambda done, trials: None)
    written = size(sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()))
    say(NEXT[to].format(size=written, to=directory))
    typer.echo(directory)


def _tell(done: int, trials: int) -> None:
    """How far it is, on a line that is written over."""
    if done % EVERY == 0 or done == trials:
        typer.echo(f"\r{done:,} of {count(trials, 'trial')}", err=True, nl=done == trials)
