"""`sweep watch`: a sweep on a screen of its own, from its records alone, wherever it runs."""

from __future__ import annotations

import os
import sys

import typer

from orchestrator.cli.formats import say
from orchestrator.cli.options import RESULTS, Results, SweepName
from orchestrator.cli.refresh import refresh

TOP = 5


def watch(sweep: SweepName = None, results: Results = RESULTS) -> None:
    """Watch a sweep on a live screen.

    From its records, so it may run anywhere, or have ended. Keys: arrows choose a trial, enter opens its log, s changes
    the order, f which states are listed, q leaves. The sweep does not notice any of it. Where there is no terminal, it
    is shown once."""
    from orchestrator.records.find import find, find_here

    refresh(results, sweep)
    paths, here = find(results, sweep), find_here(results, sweep)
    if not (sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"):
        from orchestrator.cli.views.sweep import SweepView

        typer.echo(SweepView.of(paths, TOP).text())
        say("this is no terminal, so the sweep is shown once; in a terminal, sweep watch goes on")
        return
    from orchestrator.cli.live.watch.app import follow

    if not here.remote.is_file():
        follow(paths)
        return
    from orchestrator.cli.remote import local_copy

    follow(paths, lambda tell: local_copy.refresh(results, here.name, tell))
