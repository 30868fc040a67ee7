"""What `sweep confirm` says when the repeats are trained."""

from __future__ import annotations

import typer

from orchestrator.analysis.compare.repeats import repeats_in
from orchestrator.analysis.summary.overview import objective_of
from orchestrator.cli.formats import say
from orchestrator.cli.views.evaluation import score
from orchestrator.cli.views.repeats import repeats_text
from orchestrator.errors import UserError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json


def conclude(paths: SweepPaths | None, *, name: str, evaluate: bool) -> None:
    """Say what came out, and score the winner.

    Args:
        paths: The files of the sweep; None: it runs elsewhere, or later.
        name: The sweep's.
        evaluate: Whether to score it.

    Raises:
        SweepError: No configuration was trained to the end; or the trainable's evaluate failed.
    """
    if paths is None:
        say(f"the verdict, once it has ended: sweep show {name} --repeats")
        return
    info = read_sweep_json(paths.info)
    found = repeats_in(paths, info)
    typer.echo(f"\n{repeats_text(paths.name, objective_of(info), found)}")
    if not evaluate or not found:
        return
    try:
        score(paths, info)
    except UserError as error:
        say(f"# the winner has no score on a test part: {error}")
