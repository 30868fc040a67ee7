"""`sweep stop`: stops a running sweep, or one of its trials."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import completion, options
from orchestrator.cli.formats import TextFormat
from orchestrator.cli.json_output import document
from orchestrator.cli.options import RESULTS, TEXT, OutputFormat, Results, SweepName
from orchestrator.cli.remote.forward import forwarded


def stop(
    sweep: SweepName = None,
    trial: Annotated[
        int | None,
        typer.Option("--trial", metavar="N", min=0, help="Stop only this trial.", autocompletion=completion.trials),
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Stop at once, without waiting for the trials' next reports.")
    ] = False,
    results: Results = RESULTS,
    format_: OutputFormat = TEXT,
) -> None:
    """Stop a running sweep, from any machine that sees its directory.

    Running trials stop at their next report. Returns when the sweep has ended; sweep resume continues it."""
    from orchestrator.cli import requests
    from orchestrator.records.find import find

    as_json = format_ is TextFormat.JSON
    if not forwarded(results, sweep, ["stop", *options.as_words(trial=trial, now=now, json=as_json)]):
        done = requests.stop(find(results, sweep), trial=trial, now=now)
        if as_json:
            document(done)
