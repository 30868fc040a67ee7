"""Commands that read the records: ls, show, compare. They write nothing, and work while a sweep runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.formats import Answer, Format, answer, give, say
from orchestrator.cli.options import RESULTS, Results, SweepName
from orchestrator.errors import UserError

if TYPE_CHECKING:
    from orchestrator.sites.remote_record import Remote

BEST = 5
"""So many of the best trials are shown if nobody says how many."""

AnswerFormat = Annotated[Format, typer.Option("--format", help="How to write the answer.")]


def ls(
    tree: Annotated[bool, typer.Option("--tree", help="Each sweep below the one that it comes from.")] = False,
    results: Results = RESULTS,
    format_: AnswerFormat = Format.TABLE,
) -> None:
    """List the sweeps, the latest last."""
    from orchestrator.analysis.summary.overview import overview
    from orchestrator.cli.views import sweep_list
    from orchestrator.records.find import find_all

    sent = _statuses(results)
    found = [overview(paths, sent.get(paths.name)) for paths in find_all(results)]
    if not found:
        say(f"there are no sweeps in {results}; `sweep launch SPEC` makes one")
    data = sweep_list.listing_data(found)
    rows = [{**{name: row[name] for name in row if name != "states"}, **row["states"]} for row in data]
    answer(format_, text=lambda: (sweep_list.tree if tree else sweep_list.listing)(found), data=data, rows=rows)


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


def compare(
    sweeps: Annotated[list[str], typer.Argument(metavar="SWEEP SWEEP…", help="Their names, or paths of directories.")],
    results: Results = RESULTS,
    format_: AnswerFormat = Format.TABLE,
) -> None:
    """Show in what sweeps differ, and what came of each.

    Specs, code, data and versions where they are not the same; results also after the same number of trials, and the
    same time."""
    from orchestrator.analysis.compare.comparison import compare
    from orchestrator.cli.views.comparison import comparison_data, comparison_rows, comparison_text
    from orchestrator.records.find import find

    if len(sweeps) < 2:
        raise UserError(f"with what is {sweeps[0]} to be compared? sweep compare {sweeps[0]} OTHER")
    for name in sweeps:
        refresh(results, name)
    found = [find(results, name) for name in sweeps]
    names = [paths.name if len({each.name for each in found}) == len(found) else str(paths.root) for paths in found]
    if len(set(names)) < len(names):
        raise UserError(f"{' and '.join(sweeps)} are not all different sweeps")
    compared = compare(found)
    answer(
        format_,
        text=lambda: comparison_text(compared, names),
        data=comparison_data(compared, names),
        rows=comparison_rows(compared, names),
    )


def refresh(results: Path, sweep: str | None) -> None:
    """Bring the copy of a sweep on a cluster up to date, if it is one."""
    from orchestrator.records.find import find_here

    if find_here(results, sweep).remote.is_file():
        from orchestrator.cli.remote import local_copy

        local_copy.refresh(results, sweep)


def _statuses(results: Path) -> dict[str, Remote]:
    from orchestrator.records.find import find_all

    if not any(paths.remote.is_file() for paths in find_all(results)):
        return {}
    from orchestrator.cli.remote import local_copy

    return local_copy.statuses(results)
