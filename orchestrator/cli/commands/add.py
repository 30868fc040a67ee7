"""`sweep add`: gives a running sweep configurations to try, or more slots."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.options import RESULTS, Results, SweepName
from orchestrator.cli.remote.forward import asked_there
from orchestrator.errors import UserError


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
    from orchestrator.cli import requests
    from orchestrator.records.find import find

    if not config and concurrency is None:
        raise UserError("there is nothing to add: give --config or --concurrency")
    if not asked_there(results, sweep, ["add", *options.as_words(config=config, concurrency=concurrency)]):
        requests.add(find(results, sweep), config or [], concurrency)
