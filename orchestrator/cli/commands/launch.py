"""`sweep launch`: runs a new sweep."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.options import (
    CLUSTER_RESULTS,
    ON,
    RESULTS,
    ClusterResults,
    Concurrency,
    Cpus,
    Detach,
    Gpus,
    MaxGpus,
    Name,
    Nodes,
    On,
    Profile,
    Results,
    Seed,
    Set,
    SpecFile,
    Trials,
    Wait,
)
from orchestrator.cli.start_sweep import begin
from orchestrator.errors import UserError


def launch(
    spec: SpecFile,
    set_: Set = None,
    trials: Trials = None,
    seed: Seed = None,
    concurrency: Concurrency = None,
    max_gpus: MaxGpus = None,
    name: Name = None,
    on: On = ON,
    wait: Wait = False,
    cpus: Cpus = None,
    gpus: Gpus = None,
    nodes: Nodes = None,
    results: Results = RESULTS,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="End the sweep when a trial has failed.")] = False,
    max_failures: Annotated[
        int | None,
        typer.Option("--max-failures", min=0, help="budget.max_failures: failed trials that are allowed."),
    ] = None,
    profile: Profile = False,
    cluster_results: ClusterResults = CLUSTER_RESULTS,
    detach: Detach = False,
) -> None:
    """Run a sweep to its end."""
    if fail_fast and max_failures is not None:
        raise UserError("--fail-fast is --max-failures 0: give one of them")
    changes = options.overrides(
        set_,
        trials=trials,
        seed=seed,
        concurrency=concurrency,
        max_gpus=max_gpus,
        name=name,
        max_failures=0 if fail_fast else max_failures,
    )
    begin(
        options.checked(spec, changes),
        spec=lambda _: spec,
        changes=changes,
        on=on,
        wait=wait,
        cpus=cpus,
        gpus=gpus,
        nodes=nodes,
        results=results,
        profile=profile,
        cluster_results=cluster_results,
        detach=detach,
    )
