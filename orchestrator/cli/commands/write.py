"""Commands around a spec that is being written: init, check, plan, try."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.formats import as_json, painted, say
from orchestrator.cli.options import ON, RESULTS, Concurrency, Name, On, Results, Seed, Set, SpecFile, Trials
from orchestrator.cli.views.wording import count
from orchestrator.errors import UserError


def init(
    path: Annotated[Path, typer.Argument(metavar="SPEC", help="The spec to write.")] = Path("sweep.yaml"),
) -> None:
    """Write a first spec, and a train.py that it runs."""
    from orchestrator.cli.views import starter

    spec = path if path.suffix in (".yaml", ".yml") else path / "sweep.yaml"
    files = {spec: starter.SPEC, spec.parent / "train.py": starter.TRAIN}
    for file in files:
        if file.exists():
            raise UserError(f"{file} exists, and nothing is overwritten; give another place, as in: sweep init new/")
    try:
        spec.parent.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            file.write_text(text)
    except OSError as error:
        raise UserError(f"cannot write {error.filename or spec}: {error.strerror}") from error
    say(f"wrote {' and '.join(map(str, files))}; next:")
    for command in ("try", "plan", "launch"):
        typer.echo(f"sweep {command} {spec}")


def check(
    spec: Annotated[
        Path | None, typer.Argument(metavar="SPEC", help="The spec, a YAML file.", show_default=False)
    ] = None,
    set_: Set = None,
    trials: Trials = None,
    seed: Seed = None,
    concurrency: Concurrency = None,
    name: Name = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of specs, for an editor.")] = False,
) -> None:
    """Say what is wrong in a spec, every mistake at once."""
    if schema:
        from orchestrator.spec import spec_schema

        typer.echo(as_json(spec_schema()))
        return
    if spec is None:
        raise UserError("which spec? sweep check SPEC")
    changes = options.overrides(set_, trials=trials, seed=seed, concurrency=concurrency, name=name)
    found = options.checked(spec, changes)

    from orchestrator.core.build import ladder, trial_count

    space = found.spec.parameter_space()
    parts = [
        count(len(space.parameters), "parameter"),
        count(trial_count(found.spec, space), "trial"),
        found.spec.search.method,
        "ASHA" if ladder(found.spec, found.declaration) else "no early stopping",
        f"{found.spec.objective.mode} {found.spec.objective.metric}",
    ]
    typer.echo(f"{spec} {painted('is fine', 'green')}: {', '.join(parts)}")


def plan(
    spec: SpecFile,
    set_: Set = None,
    trials: Trials = None,
    seed: Seed = None,
    concurrency: Concurrency = None,
    name: Name = None,
    on: On = ON,
    cpus: Annotated[
        int | None, typer.Option("--cpus", min=1, help="CPUs of this machine; with --gpus, of each imagined node.")
    ] = None,
    gpus: Annotated[
        int | None,
        typer.Option(
            "--gpus", min=0, help="Plan for so many GPUs, on nodes that need not exist; 0: this machine's CPUs."
        ),
    ] = None,
    gpus_per_node: Annotated[
        int | None, typer.Option("--gpus-per-node", min=1, help="GPUs of an imagined node; 8 if left out.")
    ] = None,
    step_seconds: Annotated[
        float | None,
        typer.Option(
            "--step-seconds", min=0, help="How long a step takes; if left out, as in an earlier sweep of the trainable."
        ),
    ] = None,
    results: Results = RESULTS,
) -> None:
    """Say what a sweep will do and cost; nothing is started.

    How long it takes is forecast by playing it on a virtual clock."""
    changes = options.overrides(set_, trials=trials, seed=seed, concurrency=concurrency, name=name)
    found = options.checked(spec, changes)

    from orchestrator.cli.views.plan import forecast, nodes_for
    from orchestrator.sites.placement import engine_at, reached

    if gpus_per_node is not None and not gpus:
        raise UserError("--gpus-per-node says how --gpus are spread: give both")
    if not gpus and (batch := options.batch(on, cpus=cpus)) is not None:
        asked = batch.expected(found.spec)
        if not asked:
            raise UserError(
                f"{on} leaves the CPUs to the partition: what fits shows when it runs, or with cpus_per_node"
            )
        typer.echo(forecast(found, asked, step_s=step_seconds, results=results))
        return
    engine = engine_at(on, cpus=cpus, gpus=gpus)
    with reached(engine):
        nodes = nodes_for(found, gpus, per_node=gpus_per_node, cpus=cpus) if gpus else engine.nodes()
        typer.echo(forecast(found, nodes, step_s=step_seconds, results=results))


def try_(
    spec: SpecFile,
    config: Annotated[
        str | None,
        typer.Option("--config", metavar="YAML", help="Values to train with, as '{lr: 0.01}'; the others are drawn."),
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Stop after so many reports.")] = None,
    pdb: Annotated[bool, typer.Option("--pdb", help="Open the debugger where the trainable raises.")] = False,
    data_fractions: Annotated[
        str | None,
        typer.Option(
            "--data-fractions",
            metavar="SHARES",
            help="Train it once on each of these shares of the training data, as 0.25,0.5,1: does more data help?",
        ),
    ] = None,
    set_: Set = None,
    seed: Seed = None,
) -> None:
    """Train one configuration here, without Ray.

    It is the sweep's first, or the one you give; pdb can be entered where it fails."""
    found = options.checked(spec, options.overrides(set_, seed=seed))

    if data_fractions is not None:
        from orchestrator.cli.views.data_fractions import compare_fractions, fractions_of

        compare_fractions(found, config, fractions_of(data_fractions), steps=steps)
        return
    from orchestrator.cli.views.try_run import rehearse

    rehearse(found, config, steps=steps, debug=pdb)
