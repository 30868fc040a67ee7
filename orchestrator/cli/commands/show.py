"""`sweep show`: a sweep's states, rungs and best trials, or one of its other views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from orchestrator.cli.formats import Answer, Format, give
from orchestrator.cli.options import RESULTS, AnswerFormat, Results, SweepName
from orchestrator.cli.refresh import refresh

BEST = 5
"""So many of the best trials are shown if nobody says how many."""


def show(
    sweep: SweepName = None,
    top: Annotated[
        int | None,
        typer.Option("--top", min=1, help="How many of the best trials, 5 if left out; of the newest events, 20."),
    ] = None,
    diagnosis: Annotated[
        bool, typer.Option("--diagnosis", help="What the curves show: overfitting, learning rates, bounds, and more.")
    ] = False,
    failures: Annotated[bool, typer.Option("--failures", help="Failed trials by cause, with tracebacks.")] = False,
    importance: Annotated[bool, typer.Option("--importance", help="How much each parameter matters.")] = False,
    ledger: Annotated[bool, typer.Option("--ledger", help="What became of the time of the slots or GPUs.")] = False,
    events: Annotated[bool, typer.Option("--events", help="What happened last.")] = False,
    repeats: Annotated[
        bool, typer.Option("--repeats", help="What was trained several times: means, and which may be the best.")
    ] = False,
    trial: Annotated[int | None, typer.Option("--trial", min=0, help="All that is recorded of one trial.")] = None,
    results: Results = RESULTS,
    format_: AnswerFormat = Format.TABLE,
) -> None:
    """Show a sweep: its states, rungs and best trials, or more."""
    from orchestrator.cli.views import show
    from orchestrator.records.find import find

    refresh(results, sweep)
    paths = find(results, sweep)
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
