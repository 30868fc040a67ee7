"""`sweep show`: prints a sweep's summary, or one of its other views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from orchestrator.cli import completion
from orchestrator.cli.formats import Answer, Format, give
from orchestrator.cli.open_sweep import open_sweep
from orchestrator.cli.options import RESULTS, AnswerFormat, Results, SweepName

BEST = 5
"""The default of ``--top``."""


def show(
    sweep: SweepName = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top", metavar="N", min=1, help="Number of best trials (default 5), or of latest events (default 20)."
        ),
    ] = None,
    diagnosis: Annotated[
        bool, typer.Option("--diagnosis", help="Problems that the curves show: overfitting, learning rates, bounds, …")
    ] = False,
    failures: Annotated[bool, typer.Option("--failures", help="Failed trials by cause, with tracebacks.")] = False,
    importance: Annotated[bool, typer.Option("--importance", help="How much each parameter matters.")] = False,
    ledger: Annotated[bool, typer.Option("--ledger", help="Where the time of the slots or GPUs went.")] = False,
    events: Annotated[bool, typer.Option("--events", help="The latest events.")] = False,
    repeats: Annotated[
        bool, typer.Option("--repeats", help="Means of configurations that were trained several times.")
    ] = False,
    trial: Annotated[
        int | None,
        typer.Option(
            "--trial", metavar="N", min=0, help="Everything recorded about one trial.", autocompletion=completion.trials
        ),
    ] = None,
    results: Results = RESULTS,
    format_: AnswerFormat = Format.TABLE,
) -> None:
    """Show a sweep: its states, rungs and best trials, or other views.

    Views can be combined; with --format csv, give one."""
    from orchestrator.cli.views import show

    paths = open_sweep(results, sweep)
    asked: dict[str, Callable[[], Answer]] = {}
    if trial is not None:
        asked["trial"] = lambda: show.one_trial(paths, trial)
    if diagnosis:
        asked["diagnosis"] = lambda: show.diagnosis(paths)
    if failures:
        asked["failures"] = lambda: show.failures(paths)
    if importance:
        asked["importance"] = lambda: show.importance(paths)
    if ledger:
        asked["ledger"] = lambda: show.ledger(paths)
    if events:
        asked["events"] = lambda: show.events(paths, top)
    if repeats:
        asked["repeats"] = lambda: show.repeats(paths)
    give(format_, {name: view() for name, view in (asked or {"sweep": lambda: show.whole(paths, top or BEST)}).items()})
