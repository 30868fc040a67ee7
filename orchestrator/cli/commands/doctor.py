"""`sweep doctor`: checks whether this machine, or a cluster, has what a sweep needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.options import ON, RESULTS, On, Results

if TYPE_CHECKING:
    from orchestrator.cli.views.doctor import Finding


def doctor(
    on: On = ON,
    results: Results = RESULTS,
    no_ray: Annotated[bool, typer.Option("--no-ray", help="Do not start Ray.")] = False,
) -> None:
    """Check this machine, or with --on the nodes of a cluster.

    On this machine, also checks that Ray starts."""
    from orchestrator.cli.views.doctor import examine

    problems = 0
    for finding in examine(results, start_ray=not no_ray) if on == ON else _cluster(on, results):
        typer.echo(str(finding))
        problems += bool(finding.hint)
    if problems:
        raise typer.Exit(1)


def _cluster(on: str, results: Path) -> Iterator[Finding]:
    from orchestrator.cli.formats import as_table, say
    from orchestrator.cli.views.doctor import examine
    from orchestrator.cli.views.nodes import examine_nodes, gpus_by_type, node_rows
    from orchestrator.sites.placement import engine_at, reached

    engine = engine_at(on)
    with reached(engine):
        nodes = engine.nodes()
        typer.echo("\n".join(line for line in (as_table(node_rows(nodes)), gpus_by_type(nodes)) if line) + "\n")
        yield from examine(results, start_ray=False)
        say("checking the nodes …")
        yield from examine_nodes(nodes, results)
