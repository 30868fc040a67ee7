"""`sweep plan`: previews a sweep without starting it."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.formats import TextFormat, tell
from orchestrator.cli.json_output import document
from orchestrator.cli.options import (
    ON,
    RESULTS,
    TEXT,
    Concurrency,
    Name,
    On,
    OutputFormat,
    Results,
    Seed,
    Set,
    SpecFile,
    Trials,
)
from orchestrator.errors import OptionsError, UserError


def plan(
    spec: SpecFile,
    set_: Set = None,
    trials: Trials = None,
    seed: Seed = None,
    concurrency: Concurrency = None,
    name: Name = None,
    on: On = ON,
    cpus: Annotated[
        int | None,
        typer.Option(
            "--cpus", min=1, metavar="N", help="CPUs of this machine; with --gpus, of each hypothetical node."
        ),
    ] = None,
    gpus: Annotated[
        int | None,
        typer.Option(
            "--gpus",
            min=0,
            metavar="N",
            help="Plan for this many GPUs, whether they exist or not; 0: for the CPUs only.",
        ),
    ] = None,
    gpus_per_node: Annotated[
        int | None,
        typer.Option("--gpus-per-node", min=1, metavar="N", help="GPUs of each hypothetical node. Default: 8."),
    ] = None,
    step_seconds: Annotated[
        float | None,
        typer.Option(
            "--step-seconds",
            min=0,
            metavar="S",
            help="Seconds that a step takes. Default: as in an earlier sweep of the trainable.",
        ),
    ] = None,
    results: Results = RESULTS,
    format_: OutputFormat = TEXT,
) -> None:
    """Preview a sweep's cost and duration without starting it.

    The forecast simulates the whole sweep on a virtual clock."""
    changes = options.overrides(set_, trials=trials, seed=seed, concurrency=concurrency, name=name)
    found = options.checked(spec, changes)

    from orchestrator.cli.views.plan import nodes_for, preview, preview_data, preview_text
    from orchestrator.sites.placement import engine_at, reached

    if gpus_per_node is not None and not gpus:
        raise OptionsError("--gpus-per-node requires --gpus")
    if not gpus and (slurm := options.slurm_site(on, cpus=cpus)) is not None:
        asked = slurm.expected(found.spec)
        if not asked:
            raise UserError(f"the profile {on} does not say how many CPUs a node has; add cpus_per_node to it")
        seen = preview(found, asked, step_s=step_seconds, results=results)
    else:
        engine = engine_at(on, cpus=cpus, gpus=gpus)
        with reached(engine):
            nodes = nodes_for(found, gpus, per_node=gpus_per_node, cpus=cpus) if gpus else engine.nodes()
            seen = preview(found, nodes, step_s=step_seconds, results=results)
    if format_ is TextFormat.JSON:
        document(preview_data(seen))
    else:
        tell(preview_text(seen))
