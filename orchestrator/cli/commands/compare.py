"""`sweep compare`: how sweeps differ, and the result of each."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.formats import Format, answer
from orchestrator.cli.options import RESULTS, AnswerFormat, Results
from orchestrator.cli.refresh import refresh
from orchestrator.errors import UserError


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
