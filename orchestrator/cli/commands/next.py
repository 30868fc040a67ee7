"""`sweep next`: writes the spec of the next sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.formats import TextFormat, say, tell
from orchestrator.cli.json_output import document
from orchestrator.cli.open_sweep import open_sweep
from orchestrator.cli.options import RESULTS, TEXT, OutputFormat, Results, SweepName
from orchestrator.errors import UserError

MANY = 50
"""Parameters for which this takes more than some seconds."""


def next_(
    sweep: SweepName = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="File or directory to write to. Default: beside the sweep's spec.",
            show_default=False,
        ),
    ] = None,
    results: Results = RESULTS,
    format_: OutputFormat = TEXT,
) -> None:
    """Write the spec of a follow-up sweep, based on the results.

    Narrows ranges around the best trials, or extends them where the best trials lie at a bound; drops choices that
    never did well; fixes parameters that hardly matter; starts from the best configurations. A comment gives the
    reason for each change; the rest of the spec stays as written. Prints the file's name; never overwrites."""
    from orchestrator.analysis.next_spec.propose import propose_next
    from orchestrator.cli.views.next_spec import next_data, summary
    from orchestrator.records.provenance import read_sweep_json

    paths = open_sweep(results, sweep)
    info = read_sweep_json(paths.info)
    if (parameters := len(info.spec["space"])) >= MANY:
        say(f"comparing what the trials say of {parameters} parameters, which takes a while …")
    found = propose_next(paths, info, output)
    shown = found.file.relative_to(Path.cwd()) if found.file.is_relative_to(Path.cwd()) else found.file
    try:
        with found.file.open("x") as file:
            file.write(found.text)
    except OSError as error:
        raise UserError(
            f"cannot write {found.file}: {error.strerror or error}; choose another place with -o"
        ) from error
    if format_ is TextFormat.JSON:
        document(next_data(found, paths.name))
        return
    say(summary(found, shown))
    tell(shown)
