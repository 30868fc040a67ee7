"""`sweep doctor`: checks whether this machine, or a cluster, has what a sweep needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.formats import TextFormat, tell
from orchestrator.cli.json_output import document
from orchestrator.cli.options import ON, RESULTS, TEXT, On, OutputFormat, Results

if TYPE_CHECKING:
    from orchestrator.cli.views.doctor import Finding


def doctor(
    on: On = ON,
    results: Results = RESULTS,
    no_ray: Annotated[bool, typer.Option("--no-ray", help="Do not start Ray.")] = False,
    format_: OutputFormat = TEXT,
) -> None:
    """Check this machine, or with --on the nodes of a cluster.

    On this machine, also checks that Ray starts."""
    from orchestrator.cli.views.doctor import examine

    nodes: list[dict[str, Any]] = []
    findings = []
    for finding in examine(results, start_ray=not no_ray) if on == ON else _cluster(on, results, format_, nodes):
        findings.append(finding)
        if format_ is TEXT:
            tell(str(finding))
    well = not any(finding.hint for finding in findings)
    if format_ is TextFormat.JSON:
        document({"ok": well, "findings": [finding.data() for finding in findings], "nodes": nodes})
    if not well:
        raise typer.Exit(1)


def _cluster(on: str, results: Path, format_: TextFormat, seen: list[dict[str, Any]]) -> Iterator[Finding]:
    """The findings of a cluster, whose nodes are printed, or added to ``seen`` as data."""
    from orchestrator.cli.formats import say
    from orchestrator.cli.views.doctor import examine
    from orchestrator.cli.views.nodes import examine_nodes, gpus_by_type, node_data, node_rows
    from orchestrator.cli.views.table import as_table
    from orchestrator.sites.placement import engine_at, reached

    engine = engine_at(on)
    with reached(engine):
        nodes = engine.nodes()
        seen += map(node_data, nodes)
        if format_ is TEXT:
            tell("\n".join(line for line in (as_table(node_rows(nodes)), gpus_by_type(nodes)) if line) + "\n")
        yield from examine(results, start_ray=False)
        say("checking the nodes …")
        yield from examine_nodes(nodes, results)
