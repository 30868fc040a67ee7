"""Commands on what a sweep leaves beside its records: best and its checkpoint, clean."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestrator.cli.commands.read import refresh
from orchestrator.cli.formats import as_json, say
from orchestrator.cli.options import RESULTS, Results, SweepName
from orchestrator.cli.views.wording import config_yaml
from orchestrator.errors import UserError


class ConfigFormat(StrEnum):
    """How a configuration is written."""

    YAML = "yaml"
    JSON = "json"


class Keeping(StrEnum):
    """Which checkpoints of a trial stay."""

    BEST = "best"
    LAST = "last"
    BOTH = "both"
    NONE = "none"


def best(
    sweep: SweepName = None,
    checkpoint: Annotated[
        str | None,
        typer.Option("--checkpoint", metavar="PATH", help="Also copy its checkpoint there: a file, or a directory."),
    ] = None,
    evaluate: Annotated[
        bool,
        typer.Option("--evaluate", help="Also score it on the test part, which no trial sees: once, and recorded."),
    ] = False,
    results: Results = RESULTS,
    format_: Annotated[ConfigFormat, typer.Option("--format", help="How to write it.")] = ConfigFormat.YAML,
) -> None:
    """Print the best configuration, fixed values included.

    All else is said on stderr."""
    from orchestrator.analysis.compare.repeats import best_in, repeats_all
    from orchestrator.analysis.summary.overview import objective_of
    from orchestrator.analysis.summary.ranking import full_config
    from orchestrator.records.find import find
    from orchestrator.records.provenance import read_sweep_json

    refresh(results, sweep)
    paths = find(results, sweep)
    info = read_sweep_json(paths.info)
    objective, winner = objective_of(info), best_in(paths, info)
    mean = "; its configuration has the best mean" if repeats_all(info) else ""
    say(
        f"# {paths.name}, trial {winner.trial}: {objective.metric} {winner.value:.6g} at step {winner.step}"
        f" ({objective.mode}, the {objective.at} of a trial{mean})"
    )
    if checkpoint is not None:
        from orchestrator.cli.views.checkpoint_copy import copy_checkpoint

        copy_checkpoint(paths, info, winner, checkpoint)
    if evaluate:
        if paths.remote.is_file():
            raise UserError(f"{paths.name} is a copy: a look at the test part would not be recorded where the sweep is")

        from orchestrator.cli.views.evaluation import score

        score(paths, info)
    config = full_config(info, winner)
    typer.echo(as_json(config) if format_ is ConfigFormat.JSON else config_yaml(config))


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
