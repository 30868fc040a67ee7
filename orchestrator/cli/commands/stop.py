"""`sweep stop`: stops a running sweep, or one of its trials."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.options import RESULTS, Results, SweepName
from orchestrator.cli.remote.forward import asked_there


def stop(
    sweep: SweepName = None,
    trial: Annotated[int | None, typer.Option("--trial", min=0, help="End only this trial.")] = None,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for the trials' next reports.")] = False,
    results: Results = RESULTS,
) -> None:
    """Stop a running sweep, from any machine that sees its directory. `sweep resume` goes on with it.

    One that was sent to a cluster is stopped there. Running trials end at their next report. Returns when the sweep
    has ended."""
    from orchestrator.cli import requests
    from orchestrator.records.find import find

    if not asked_there(results, sweep, ["stop", *options.as_words(trial=trial, now=now)]):
        requests.stop(find(results, sweep), trial=trial, now=now)
