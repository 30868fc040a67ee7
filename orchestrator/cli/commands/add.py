"""`sweep add`: adds configurations to a running sweep, or changes its concurrency."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.formats import TextFormat
from orchestrator.cli.json_output import document
from orchestrator.cli.options import RESULTS, TEXT, OutputFormat, Results, SweepName
from orchestrator.cli.remote.forward import forwarded
from orchestrator.errors import OptionsError


def add(
    sweep: SweepName = None,
    config: Annotated[
        list[str] | None,
        typer.Option("--config", metavar="YAML", help="Configuration to try next, as '{lr: 0.01}'. Repeatable."),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", metavar="N", min=1, help="Most trials at once from now on.")
    ] = None,
    results: Results = RESULTS,
    format_: OutputFormat = TEXT,
) -> None:
    """Add configurations to a running sweep, or set its concurrency.

    Added trials come on top of budget.trials. Returns when they are recorded."""
    from orchestrator.cli import requests
    from orchestrator.records.find import find

    if not config and concurrency is None:
        raise OptionsError("nothing to add; give --config or --concurrency")
    as_json = format_ is TextFormat.JSON
    words = options.as_words(config=config, concurrency=concurrency, json=as_json)
    if not forwarded(results, sweep, ["add", *words]):
        done = requests.add(find(results, sweep), config or [], concurrency)
        if as_json:
            document(done)
