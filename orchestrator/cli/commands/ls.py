"""`sweep ls`: lists the sweeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.formats import Format, answer, say
from orchestrator.cli.options import RESULTS, AnswerFormat, Results

if TYPE_CHECKING:
    from orchestrator.records.remote_record import Remote


def ls(
    tree: Annotated[
        bool, typer.Option("--tree", help="Show follow-up sweeps below the sweep that they come from.")
    ] = False,
    results: Results = RESULTS,
    format_: AnswerFormat = Format.TABLE,
) -> None:
    """List the sweeps in the results directory, the latest last."""
    from orchestrator.analysis.summary.overview import overview
    from orchestrator.cli.views import sweep_list
    from orchestrator.records.find import find_all

    sent = _statuses(results)
    found = [overview(paths, sent.get(paths.name)) for paths in find_all(results)]
    if not found:
        say(f"no sweeps in {results}; start one with: sweep launch SPEC")
    data = sweep_list.listing_data(found)
    rows = [{**{name: row[name] for name in row if name != "states"}, **row["states"]} for row in data]
    answer(format_, text=lambda: (sweep_list.tree if tree else sweep_list.listing)(found), data=data, rows=rows)


def _statuses(results: Path) -> dict[str, Remote]:
    from orchestrator.records.find import find_all

    if not any(paths.remote.is_file() for paths in find_all(results)):
        return {}
    from orchestrator.cli.remote import local_copy

    return local_copy.statuses(results)
