"""`sweep report`: writes the report of a sweep into a file beside you, never into the sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.formats import say
from orchestrator.cli.options import RESULTS, Results, SweepName
from orchestrator.cli.refresh import refresh
from orchestrator.errors import UserError
from orchestrator.formatting import count, size


def report(
    sweep: SweepName = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="A file, or a directory to put it in; ./SWEEP-report.html if left out.",
            show_default=False,
        ),
    ] = None,
    results: Results = RESULTS,
) -> None:
    """Write what the records say on one page of HTML.

    Any browser opens it, without a network. It has the best configuration and how sure it is, curves, parameters,
    failures, time, and where it all comes from. Prints the name of the file. An earlier report is replaced; any other
    file is left alone."""
    from orchestrator.analysis.report.collect import collect
    from orchestrator.analysis.report.page import page, save
    from orchestrator.records.find import find, find_here

    refresh(results, sweep)
    paths = find(results, sweep)
    target = _target(output, paths.name)
    if find_here(results, sweep).root.resolve() in target.resolve().parents:
        raise UserError(f"{target} lies in the sweep itself: nothing but its driver writes there; name another with -o")
    data = collect(paths)
    written = page(data)
    save(target, written)
    say(f"{count(len(data.points), 'trial')}, {size(len(written.encode()))}")
    typer.echo(target)


def _target(output: Path | None, name: str) -> Path:
    file = f"{name}-report.html"
    if output is None:
        return Path(file)
    return output / file if output.is_dir() else output
