"""`sweep compare`: prints how sweeps differ, and the result of each."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import completion
from orchestrator.cli.formats import Format, answer
from orchestrator.cli.open_sweep import open_sweep
from orchestrator.cli.options import RESULTS, AnswerFormat, Results
from orchestrator.errors import OptionsError


def compare(
    sweeps: Annotated[
        list[str],
        typer.Argument(
            metavar="SWEEP SWEEP…", help="Names or directories of sweeps.", autocompletion=completion.sweeps
        ),
    ],
    results: Results = RESULTS,
    format_: AnswerFormat = Format.TABLE,
) -> None:
    """Show how sweeps differ, and the result of each.

    Shows the differences of specs, code, data and versions, and the results at the end, after the same number of
    trials, and after the same time."""
    from orchestrator.analysis.compare.comparison import compare
    from orchestrator.cli.views.comparison import comparison_data, comparison_rows, comparison_text

    if len(sweeps) < 2:
        raise OptionsError("compare needs at least two sweeps")
    found = [open_sweep(results, name) for name in sweeps]
    names = [paths.name if len({each.name for each in found}) == len(found) else str(paths.root) for paths in found]
    if len(set(names)) < len(names):
        raise OptionsError(f"{' and '.join(sweeps)} name the same sweep twice")
    compared = compare(found)
    answer(
        format_,
        text=lambda: comparison_text(compared, names),
        data=comparison_data(compared, names),
        rows=comparison_rows(compared, names),
    )
