"""`sweep clean`: deletes checkpoints that need not be kept."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestrator.cli.options import RESULTS, Results
from orchestrator.errors import UserError


class Keeping(StrEnum):
    """Which checkpoints of a trial stay."""

    BEST = "best"
    LAST = "last"
    BOTH = "both"
    NONE = "none"


def clean(
    sweeps: Annotated[
        list[str] | None,
        typer.Argument(metavar="SWEEP", help="Their names; all sweeps if left out.", show_default=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would go.")] = False,
    keep: Annotated[
        Keeping | None,
        typer.Option("--keep", help="What stays of a completed trial, in place of trial.keep of the spec."),
    ] = None,
    results: Results = RESULTS,
) -> None:
    """Remove checkpoints that need not be kept.

    Of sweeps that nobody runs go the checkpoints that trial.keep does not keep, damaged ones, and half-written files.
    What a resume goes on from stays, and so do all records, logs, and what trials wrote themselves. --keep none, with
    the names of the sweeps, removes the checkpoints of their completed trials, too."""
    if keep is not None and not sweeps:
        raise UserError("--keep goes beyond what the specs say: name the sweeps, as in: sweep clean churn --keep none")

    from orchestrator.cli.views.cleaning import tidy_up
    from orchestrator.records.find import find, find_sweeps

    named = {paths.root: paths for paths in (find(results, name) for name in sweeps or ())}
    found = list(named.values()) if sweeps else find_sweeps(results)
    tidy_up(found, keep.value if keep is not None else None, dry_run=dry_run)
