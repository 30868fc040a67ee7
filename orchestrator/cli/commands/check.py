"""`sweep check`: reads a spec and prints every mistake in it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.formats import TextFormat, painted, say, tell
from orchestrator.cli.json_output import document
from orchestrator.cli.options import TEXT, Concurrency, Name, OutputFormat, Seed, Set, Trials
from orchestrator.errors import OptionsError
from trainables.command.sample import Taken, taken

if TYPE_CHECKING:
    from orchestrator.spec.source import Source


def check(
    spec: Annotated[
        Path | None, typer.Argument(metavar="SPEC", help="The spec, a YAML file.", show_default=False)
    ] = None,
    set_: Set = None,
    trials: Trials = None,
    seed: Seed = None,
    concurrency: Concurrency = None,
    name: Name = None,
    sample: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With a command: what would be taken from this output of the program.",
            show_default=False,
        ),
    ] = None,
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

    seen = None if sample is None else _taken(found, sample)

    if format_ is TextFormat.JSON:
        from orchestrator.cli.views.check import check_data

        document(check_data(spec, found, seen))
        return

    from orchestrator.cli.views.budget import parameters_text, trials_text
    from orchestrator.core.build import trial_count
    from orchestrator.core.ladder import ladder

    rungs = ladder(found.spec, found.declaration)
    parts = [
        parameters_text(found),
        trials_text(trial_count(found.spec, found.spec.parameter_space()), found.spec),
        found.spec.search.method,
        f"{rungs.method}{' at seconds of training' * (rungs.unit == 'seconds')}" if rungs else "no early stopping",
        f"{found.spec.objective.mode} {found.spec.objective.metric}",
    ]
    tell(f"{spec} {painted('is valid', 'green')}: {', '.join(parts)}")
    if found.spec.program is not None:
        _tell_command(found, seen)


def _taken(found: Source, sample: Path) -> Taken:
    if found.spec.program is None:
        raise OptionsError("--sample is for a spec with a command")
    try:
        return taken(found.spec.program, sample)
    except OSError as error:
        raise OptionsError(f"--sample {sample} cannot be read: {error.strerror}") from error


def _tell_command(found: Source, seen: Taken | None) -> None:
    from orchestrator.cli.views import command

    assert found.spec.program is not None
    tell(f"as in: {shlex.join(command.example(found.spec.program, found.spec.parameter_space()))}")
    if seen is not None:
        tell(command.taken_text(seen, found.spec.objective.metric))
        for warning in command.warnings(seen, found.spec.objective.metric):
            say(f"warning: {warning}")
