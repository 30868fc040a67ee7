"""`sweep check`: reads a spec and prints every mistake in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.formats import TextFormat, painted
from orchestrator.cli.json_output import document
from orchestrator.cli.options import TEXT, Concurrency, Name, OutputFormat, Seed, Set, Trials
from orchestrator.errors import OptionsError
from orchestrator.formatting import count


def check(
    spec: Annotated[
        Path | None, typer.Argument(metavar="SPEC", help="The spec, a YAML file.", show_default=False)
    ] = None,
    set_: Set = None,
    trials: Trials = None,
    seed: Seed = None,
    concurrency: Concurrency = None,
    name: Name = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of specs, for editors.")] = False,
    format_: OutputFormat = TEXT,
) -> None:
    """Check a spec, and print all its mistakes at once."""
    if schema:
        from orchestrator.spec import spec_schema

        document(spec_schema())
        return
    if spec is None:
        raise OptionsError("a spec is missing: sweep check SPEC")
    changes = options.overrides(set_, trials=trials, seed=seed, concurrency=concurrency, name=name)
    found = options.checked(spec, changes)

    if format_ is TextFormat.JSON:
        from orchestrator.cli.views.check import check_data

        document(check_data(spec, found))
        return

    from orchestrator.cli.views.budget import trials_text
    from orchestrator.core.build import trial_count
    from orchestrator.core.ladder import ladder

    space = found.spec.parameter_space()
    parts = [
        count(len(space.parameters), "parameter"),
        trials_text(trial_count(found.spec, space)),
        found.spec.search.method,
        rungs.method if (rungs := ladder(found.spec, found.declaration)) else "no early stopping",
        f"{found.spec.objective.mode} {found.spec.objective.metric}",
    ]
    typer.echo(f"{spec} {painted('is valid', 'green')}: {', '.join(parts)}")
