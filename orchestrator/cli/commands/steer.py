"""The commands that ask something of a running sweep: stop, add."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.options import RESULTS, Results, SweepName
from orchestrator.errors import UserError


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

    if not _asked_there(results, sweep, ["stop", *options.as_words(trial=trial, now=now)]):
        requests.stop(find(results, sweep), trial=trial, now=now)


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
    if not _asked_there(results, sweep, ["add", *options.as_words(config=config, concurrency=concurrency)]):
        requests.add(find(results, sweep), config or [], concurrency)


def _asked_there(results: Path, sweep: str | None, words: list[str]) -> bool:
    """Ask it on the cluster where the sweep runs; False if this machine sees its directory."""
    from orchestrator.records.find import find_here
    from orchestrator.sites.remote_record import read_remote, seen_here

    here = find_here(results, sweep)
    sent = read_remote(here)
    if sent is None or seen_here(here) != here:
        return False
    from orchestrator.cli.remote import remote_sweep

    remote_sweep.ask(here, sent, words)
    return True
