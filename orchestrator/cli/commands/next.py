"""`sweep next`: writes the spec of the next sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.formats import say
from orchestrator.cli.options import RESULTS, Results, SweepName
from orchestrator.cli.refresh import refresh
from orchestrator.errors import UserError


def next_(
    sweep: SweepName = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="The file to write, or a directory; beside the sweep's own spec if left out.",
            show_default=False,
        ),
    ] = None,
    results: Results = RESULTS,
) -> None:
    """Write the spec of the next sweep, by what this one has found.

    Ranges close in on the best trials, or go on beyond a bound at which these lie; options that never did well go; what
    does not matter is fixed where there are too few trials; the search begins with the best so far. Each change has its
    reason behind the line. The rest of the spec stays as you wrote it. Prints the name of the file; nothing is
    overwritten."""
    from orchestrator.analysis.next_spec.propose import propose_next
    from orchestrator.cli.views.next_spec import summary
    from orchestrator.records.find import find
    from orchestrator.records.provenance import read_sweep_json

    refresh(results, sweep)
    paths = find(results, sweep)
    found = propose_next(paths, read_sweep_json(paths.info), output)
    shown = found.file.relative_to(Path.cwd()) if found.file.is_relative_to(Path.cwd()) else found.file
    try:
        with found.file.open("x") as file:
            file.write(found.text)
    except OSError as error:
        raise UserError(f"cannot write {found.file}: {error.strerror or error}; name another place with -o") from error
    say(summary(found, shown))
    typer.echo(shown)
