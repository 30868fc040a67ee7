"""`sweep clean`: deletes checkpoints that trial.keep does not cover."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import completion
from orchestrator.cli.formats import TextFormat
from orchestrator.cli.options import RESULTS, TEXT, OutputFormat, Results
from orchestrator.errors import OptionsError


def clean(
    sweeps: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SWEEP",
            help="Names or directories of sweeps. Default: all.",
            show_default=False,
            autocompletion=completion.sweeps,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be deleted, and delete nothing.")] = False,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="best|last|both|none|topN",
            help="Checkpoints of completed trials to keep, or of the best N trials, instead of the spec's trial.keep.",
        ),
    ] = None,
    results: Results = RESULTS,
    format_: OutputFormat = TEXT,
) -> None:
    """Delete checkpoints not covered by trial.keep.

    Also deletes damaged and half-written checkpoints. Skips running sweeps, and keeps records, logs, files that trials
    wrote, and every checkpoint that a resume needs. --keep none, with names of sweeps, deletes all checkpoints of
    their completed trials."""
    if keep is not None and not sweeps:
        raise OptionsError("--keep requires the names of sweeps, as in: sweep clean churn --keep none")

    from orchestrator.cli.views.clean import clean_sweeps
    from orchestrator.spec.keep_policy import ALLOWED, is_valid

    if keep is not None and not is_valid(keep):
        raise OptionsError(f"--keep {keep}: unknown value ({ALLOWED})")

    from orchestrator.records.find import find, find_sweeps

    named = {paths.root: paths for paths in (find(results, name) for name in sweeps or ())}
    found = list(named.values()) if sweeps else find_sweeps(results)
    as_json = format_ is TextFormat.JSON
    clean_sweeps(found, keep, dry_run=dry_run, as_json=as_json)
