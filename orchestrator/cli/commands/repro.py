"""`sweep repro`: trains a recorded trial again, and says whether its curve is the same."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import completion
from orchestrator.cli.formats import say, tell
from orchestrator.cli.open_sweep import open_sweep
from orchestrator.cli.options import Project, sweep_and_trial
from orchestrator.cli.run_options import RunOptions, with_run_options


@with_run_options
def repro(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[SWEEP] TRIAL",
            help="A sweep (default: the latest), and the number of a trial.",
            autocompletion=completion.sweep_and_trial,
            show_default=False,
        ),
    ],
    current_code: Annotated[
        bool,
        typer.Option("--current-code", help="Train the project's code as it is now, instead of the recorded copy."),
    ] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="METRIC", help="Do not compare a metric, such as one of time. Repeatable."),
    ] = None,
    project: Project = None,
    *,
    run: RunOptions,
) -> None:
    """Train a trial again, and compare every digit.

    Trains with the recorded configuration, seed, code and data, and says first what is not as it was: code, data,
    packages, machine. Exits with 1 if a metric differs at any step. The repetition is a sweep of its own,
    SWEEP-repro-TRIAL."""
    from orchestrator.after.repro import end_of, is_repetition, repetition
    from orchestrator.analysis.compare.same_curve import compare_curves, curves_of
    from orchestrator.cli import json_output
    from orchestrator.cli.live.session_display import SessionDisplay
    from orchestrator.cli.views.repro import differences_text, repro_data, verdict_text
    from orchestrator.core.rows import State
    from orchestrator.driver.launch import launch
    from orchestrator.driver.observer import Observer
    from orchestrator.driver.session import Session
    from orchestrator.errors import NoResultError, OptionsError, SweepError, TrialsFailedError
    from orchestrator.records.paths import SweepPaths
    from orchestrator.records.provenance import read_sweep_json

    sweep, trial = sweep_and_trial(words, command="repro")
    if trial is None:
        raise OptionsError(f"the number of a trial is missing, as in: sweep repro {sweep} 0")
    engine, waiting = run.engine(), run.waiting()
    paths = open_sweep(run.results, sweep)
    info = read_sweep_json(paths.info)
    if sweep is None and info.parent is not None and is_repetition(info):
        paths = open_sweep(run.results, info.parent)
        info = read_sweep_json(paths.info)
    again = repetition(paths, info, trial, current_code=current_code, project=project)
    say(differences_text(again))
    begun: list[SweepPaths] = []
    with SessionDisplay(name=again.source.name, profile=run.profile, as_json=run.as_json) as display:

        def observer(session: Session) -> Observer:
            begun.append(session.paths)
            return display.observer(session)

        try:
            launch(
                again.source,
                results=run.results,
                engine=engine,
                observer=observer,
                wait=waiting,
                grace_s=run.grace,
            )
        except (NoResultError, TrialsFailedError):
            if not begun:
                raise
    end = end_of(begun[0], 0)
    if end == State.CANCELLED:
        raise SweepError(f"{begun[0].name} was ended before its trial was, so there is nothing to compare")
    found = compare_curves(
        again.curves,
        curves_of(begun[0], 0),
        objective=again.source.spec.objective.metric,
        ignored=ignore or (),
        recorded_end=again.end,
        repeated_end=end,
    )
    if run.as_json:
        json_output.event("repeated", **repro_data(paths.name, again, begun[0].name, found))
    else:
        tell(f"\n{verdict_text(paths.name, again, begun[0].name, found)}")
    if not found.identical:
        raise typer.Exit(1)
