"""`sweep report`: writes the report of a sweep as one HTML file, never into the sweep's directory."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.formats import TextFormat, say, tell
from orchestrator.cli.json_output import document
from orchestrator.cli.open_sweep import open_sweep
from orchestrator.cli.options import RESULTS, TEXT, OutputFormat, Results, SweepName
from orchestrator.errors import SweepError, UserError
from orchestrator.formatting import count, size


def report(
    sweep: SweepName = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="File or directory to write to. Default: ./SWEEP-report.html.",
            show_default=False,
        ),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the report in a browser.")] = False,
    results: Results = RESULTS,
    format_: OutputFormat = TEXT,
) -> None:
    """Write a report of a sweep as one HTML file.

    The page needs no network. It shows the best configuration and how certain it is, curves, parameters, failures,
    time, and provenance. Prints the file's name. Replaces an earlier report, but no other file."""
    from orchestrator.analysis.report.collect import collect
    from orchestrator.analysis.report.page import page, save
    from orchestrator.records.find import find_here

    paths = open_sweep(results, sweep)
    target = _target(output, paths.name)
    if find_here(results, sweep).root.resolve() in target.resolve().parents:
        raise UserError(
            f"{target} is inside the sweep's directory, where only its driver writes; choose another place with -o"
        )
    data = collect(paths)
    written = page(data)
    save(target, written)
    bytes_ = len(written.encode())
    if format_ is TextFormat.JSON:
        document({"sweep": paths.name, "file": str(target), "bytes": bytes_, "trials": len(data.points)})
    else:
        say(f"{count(len(data.points), 'trial')}, {size(bytes_)}")
        tell(target)
    if open_ and not webbrowser.open(target.resolve().as_uri()):
        raise SweepError(f"no browser could be started; open {target} yourself")


def _target(output: Path | None, name: str) -> Path:
    file = f"{name}-report.html"
    if output is None:
        return Path(file)
    return output / file if output.is_dir() else output
