"""`sweep confirm`: the verdict, once the repeats are trained."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.analysis.compare.repeats import RepeatedConfig, repeats_in
from orchestrator.analysis.summary.overview import objective_of
from orchestrator.cli import json_output
from orchestrator.cli.formats import say, tell
from orchestrator.cli.json_output import error_data
from orchestrator.cli.views.evaluation import score
from orchestrator.cli.views.repeats import repeats_rows, repeats_text
from orchestrator.errors import UserError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo, read_sweep_json


def print_verdict(paths: SweepPaths | None, *, name: str, evaluate: bool, as_json: bool = False) -> None:
    """Print which configuration is best, and score it on the test set.

    Args:
        paths: The files of the sweep; None: it runs elsewhere, or later.
        name: The sweep's name.
        evaluate: Whether to score the winner.
        as_json: Print the verdict as an event.

    Raises:
        SweepError: No configuration was trained to the end; or the trainable's evaluate failed.
    """
    if paths is None:
        say(f"once {name} has ended, see the verdict with: sweep show {name} --repeats")
        return
    info = read_sweep_json(paths.info)
    found = repeats_in(paths, info)
    if as_json:
        _verdict_event(paths, info, found, evaluate=evaluate)
        return
    tell(f"\n{repeats_text(paths.name, objective_of(info), found)}")
    if not evaluate or not found:
        return
    try:
        score(paths, info)
    except UserError as error:
        say(f"# the winner was not scored on the test set: {error}")


def _verdict_event(paths: SweepPaths, info: SweepInfo, found: Sequence[RepeatedConfig], *, evaluate: bool) -> None:
    evaluation, problem = None, None
    try:
        if evaluate and found:
            evaluation = score(paths, info).data()
    except UserError as error:
        problem = error_data(error)
    finally:
        json_output.event(
            "confirmed",
            sweep=paths.name,
            repeats=repeats_rows(found),
            evaluation=evaluation,
            evaluation_problem=problem,
        )
