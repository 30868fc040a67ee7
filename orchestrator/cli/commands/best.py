"""`sweep best`: the best configuration, its checkpoint, and its score on the test part."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestrator.cli.formats import say
from orchestrator.cli.json_output import document
from orchestrator.cli.options import RESULTS, Results, SweepName
from orchestrator.cli.refresh import refresh
from orchestrator.cli.views.text import config_yaml
from orchestrator.errors import UserError


class ConfigFormat(StrEnum):
    """How a configuration is written."""

    YAML = "yaml"
    JSON = "json"


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
    format_: Annotated[
        ConfigFormat, typer.Option("--format", help="Output format; --json is short for json.")
    ] = ConfigFormat.YAML,
) -> None:
    """Print the best configuration, fixed values included.

    All else is said on stderr."""
    from orchestrator.analysis.compare.repeats import best_in, has_repeats
    from orchestrator.analysis.summary.overview import objective_of
    from orchestrator.analysis.summary.ranking import full_config
    from orchestrator.records.find import find
    from orchestrator.records.provenance import read_sweep_json

    refresh(results, sweep)
    paths = find(results, sweep)
    info = read_sweep_json(paths.info)
    objective, winner = objective_of(info), best_in(paths, info)
    mean = "; its configuration has the best mean" if has_repeats(info) else ""
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
    if format_ is ConfigFormat.JSON:
        document(config)
    else:
        typer.echo(config_yaml(config))
