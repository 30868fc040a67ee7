"""`sweep export`: writes a sweep in the format of another tool."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.formats import TextFormat, say, say_log, tell
from orchestrator.cli.json_output import document
from orchestrator.cli.open_sweep import open_sweep
from orchestrator.cli.options import RESULTS, TEXT, OutputFormat, Results, SweepName
from orchestrator.errors import UserError
from orchestrator.export.target import Target
from orchestrator.formatting import count, size

NEXT = {
    Target.CSV: "trials.csv, metrics.csv and events.csv, {size}",
    Target.TENSORBOARD: "{size}; view it with: tensorboard --logdir {to}",
    Target.MLFLOW: "{size}; view it with: mlflow ui --backend-store-uri sqlite:///{to}/mlflow.db",
}

EVERY = 20
"""Trials between two updates of the progress line."""


def export(
    sweep: SweepName = None,
    *,
    to: Annotated[Target, typer.Option("--to", help="Target format.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Directory to create. Default: ./SWEEP-TARGET.",
            show_default=False,
        ),
    ] = None,
    results: Results = RESULTS,
    format_: OutputFormat = TEXT,
) -> None:
    """Export a sweep to CSV, TensorBoard or MLflow.

    Writes a new directory, and prints its name; never overwrites. A running sweep is exported as recorded so far.
    TensorBoard and MLflow need an extra: pip install 'sweep-orchestrator[mlflow]'."""
    from orchestrator.export.target import export
    from orchestrator.records.find import find_here

    paths = open_sweep(results, sweep)
    directory = output or Path(f"{paths.name}-{to}")
    if find_here(results, sweep).root.resolve() in directory.resolve().parents:
        raise UserError(
            f"{directory} is inside the sweep's directory, where only its driver writes; choose another place with -o"
        )
    seen = sys.stderr.isatty() and format_ is TextFormat.TEXT
    export(paths, to, directory, told=_tell if seen else lambda done, trials: None)
    written = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    if format_ is TextFormat.JSON:
        document({"sweep": paths.name, "to": to.value, "directory": str(directory), "bytes": written})
        return
    say(NEXT[to].format(size=size(written), to=directory))
    tell(directory)


def _tell(done: int, trials: int) -> None:
    """Print the progress on a line that is overwritten."""
    if done % EVERY == 0 or done == trials:
        say_log(f"\r{done:,} of {count(trials, 'trial')}" + "\n" * (done == trials))
