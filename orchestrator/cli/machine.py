"""`sweep doctor`: does this machine have what a sweep needs."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.options import RESULTS, Results


def doctor(
    results: Results = RESULTS,
    no_ray: Annotated[bool, typer.Option("--no-ray", help="Do not start Ray.")] = False,
) -> None:
    """Examine this machine, and whether Ray starts on it."""
    from orchestrator.cli.examination import examine

    problems = 0
    for finding in examine(results, start_ray=not no_ray):
        typer.echo(str(finding))
        problems += bool(finding.hint)
    if problems:
        raise typer.Exit(1)
