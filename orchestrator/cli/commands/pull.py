"""`sweep pull`: fetches the records of a sweep on a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.formats import TextFormat
from orchestrator.cli.json_output import document
from orchestrator.cli.options import RESULTS, TEXT, OutputFormat, Results, SweepName
from orchestrator.errors import UserError


def pull(
    sweep: SweepName = None,
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints", help="Also fetch checkpoints, and files that trials wrote.")
    ] = False,
    results: Results = RESULTS,
    format_: OutputFormat = TEXT,
) -> None:
    """Fetch the records of a sweep on a cluster.

    Fetches only what has changed since the last pull, and verifies every file. Works while the sweep runs."""
    from orchestrator.cli.remote import local_copy
    from orchestrator.records.find import find_here
    from orchestrator.records.remote_record import read_remote

    here = find_here(results, sweep)
    record = read_remote(here)
    if record is None:
        raise UserError(f"{here.name} is recorded on this machine, in {here.root}; there is nothing to fetch")
    fetched = local_copy.pull(here, record, large=checkpoints)
    if format_ is TextFormat.JSON:
        document({"sweep": here.name, "directory": str(here.root), **fetched})
