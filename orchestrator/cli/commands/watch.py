"""`sweep watch`: shows a sweep on a live screen, from its records alone, wherever it runs."""

from __future__ import annotations

import os
import sys

from orchestrator.cli.formats import say, tell
from orchestrator.cli.open_sweep import open_sweep
from orchestrator.cli.options import RESULTS, Results, SweepName

TOP = 5


def watch(sweep: SweepName = None, results: Results = RESULTS) -> None:
    """Watch a sweep on a live screen.

    Reads only the records: the sweep may run anywhere or have ended, and does not notice. Arrows select a trial, enter
    opens its log, s sorts, f filters by state, / by text, q quits; the mouse works, too. Without a terminal, the sweep
    is shown once."""
    from orchestrator.records.find import find_here

    paths, here = open_sweep(results, sweep), find_here(results, sweep)
    if not (sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"):
        from orchestrator.cli.views.sweep import SweepView

        tell(SweepView.of(paths, TOP).text())
        say("not a terminal: the sweep is shown once")
        return
    from orchestrator.cli.live.watch.app import follow

    if not here.remote.is_file():
        follow(paths)
        return
    from orchestrator.cli.remote import local_copy

    follow(paths, lambda tell: local_copy.refresh(here, tell))
