"""`sweep simulate`: plays a spec or a recorded sweep under other settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import completion, options
from orchestrator.cli.formats import TextFormat, tell
from orchestrator.cli.json_output import document
from orchestrator.cli.open_sweep import open_sweep
from orchestrator.cli.options import RESULTS, TEXT, OutputFormat, Results, Set

if TYPE_CHECKING:
    from orchestrator.cli.views.what_if import Column


def simulate(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="SPEC|SWEEP",
            help="A spec, a YAML file; or a recorded sweep: its name, a prefix of it, or its directory.",
            show_default=False,
            autocompletion=completion.sweeps,
        ),
    ],
    set_: Set = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            metavar="N",
            help="Trials at once. Default: as many as ran at once; for a spec, resources.concurrency, or 1.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, metavar="N", help="How many sweeps to simulate.")] = 5,
    step_seconds: Annotated[
        float | None,
        typer.Option(
            "--step-seconds",
            min=0,
            metavar="S",
            help="For a spec: seconds that a step takes. Default: as in an earlier sweep of the trainable.",
        ),
    ] = None,
    results: Results = RESULTS,
    format_: OutputFormat = TEXT,
) -> None:
    """Show what other settings would find when, without training.

    A recorded sweep is played on the curves that it recorded; a configuration that it did not try takes the mean of the
    nearest curves, and the answer says how far that can be trusted. A spec is played on modelled curves, as
    `sweep plan` does."""
    from orchestrator.cli.views.what_if import what_if_data, what_if_text

    path = Path(subject)
    share = path.suffix in (".yaml", ".yml")
    if share:
        title, columns, remarks = _spec(path, set_ or [], workers, seeds, step_seconds, results)
    else:
        title, columns, remarks = _recorded(subject, set_ or [], workers, seeds, results)
    if format_ is TextFormat.JSON:
        document({"columns": what_if_data(columns), "remarks": remarks})
    else:
        tell(what_if_text(title, columns, remarks, share=share))


def _recorded(
    name: str, changes: list[str], workers: int | None, seeds: int, results: Path
) -> tuple[str, list[Column], list[str]]:
    from orchestrator.analysis.what_if.recorded import what_if
    from orchestrator.cli.views.what_if import recorded_columns, recorded_remarks
    from orchestrator.records.provenance import read_sweep_json

    paths = open_sweep(results, name)
    info = read_sweep_json(paths.info)
    found = what_if(paths, info, overrides=changes, workers=workers, seeds=seeds)
    asked = f" with {', '.join(changes)}" if changes else ""
    metric = info.spec["objective"]["metric"]
    return f"{paths.name}{asked}: {metric} over time", recorded_columns(found), recorded_remarks(found, metric)


def _spec(
    path: Path, changes: list[str], workers: int | None, seeds: int, step_s: float | None, results: Path
) -> tuple[str, list[Column], list[str]]:
    from orchestrator.cli.views.what_if import modelled_columns, modelled_remarks

    found = options.checked(path, changes, with_data=False)
    before = options.checked(path, [], with_data=False) if changes else None
    columns, origin = modelled_columns(before, found, workers=workers, seeds=seeds, step_s=step_s, results=results)
    asked = f" with {', '.join(changes)}" if changes else ""
    return f"{found.name}{asked}: top share over time", columns, modelled_remarks(origin)
