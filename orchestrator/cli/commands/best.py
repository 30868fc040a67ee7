"""`sweep best`: prints the best configuration, copies its checkpoint, scores it on the test set."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestrator.cli.formats import say, tell
from orchestrator.cli.json_output import document
from orchestrator.cli.open_sweep import open_sweep
from orchestrator.cli.options import RESULTS, Project, Results, SweepName
from orchestrator.cli.views.text import config_yaml
from orchestrator.errors import UserError
from trainables.configuration import nested


class ConfigFormat(StrEnum):
    """Output formats of a configuration."""

    YAML = "yaml"
    JSON = "json"


def best(
    sweep: SweepName = None,
    checkpoint: Annotated[
        str | None,
        typer.Option("--checkpoint", metavar="PATH", help="Copy its checkpoint to this file or directory."),
    ] = None,
    evaluate: Annotated[
        bool,
        typer.Option("--evaluate", help="Score it on the test set, which no trial sees. The score is recorded."),
    ] = False,
    project: Project = None,
    results: Results = RESULTS,
    format_: Annotated[
        ConfigFormat, typer.Option("--format", help="Output format; --json is short for json.")
    ] = ConfigFormat.YAML,
) -> None:
    """Print the best configuration, fixed values included.

    Only the configuration goes to stdout, so that it can be redirected to a file."""
    from orchestrator.analysis.compare.repeats import best_in, has_repeats
    from orchestrator.analysis.summary.overview import objective_of, overview
    from orchestrator.analysis.summary.ranking import full_config
    from orchestrator.formatting import to_spread
    from orchestrator.records.provenance import read_sweep_json

    paths = open_sweep(results, sweep)
    info = read_sweep_json(paths.info)
    objective, winner = objective_of(info), best_in(paths, info)
    mean = "; its configuration has the best mean" if has_repeats(info) else ""
    value = to_spread(winner.value, overview(paths).spread)
    say(
        f"# {paths.name}, trial {winner.trial}: {objective.metric} {value} at step {winner.step}"
        f" ({objective.mode}, the {objective.at} of a trial{mean})"
    )
    copy = None
    if checkpoint is not None:
        from orchestrator.cli.views.checkpoint_copy import CheckpointCopy

        copy = CheckpointCopy.checked(paths, info, winner, checkpoint)
    if evaluate:
        if paths.remote.is_file():
            raise UserError(f"{paths.name} is a local copy; run sweep best --evaluate where the sweep is recorded")

        from orchestrator.cli.views.evaluation import score

        score(paths, info, project=project)
    if copy is not None:
        copy.write()
    config = nested(full_config(info, winner))
    if format_ is ConfigFormat.JSON:
        document(config)
    else:
        tell(config_yaml(config), as_it_is=True)
