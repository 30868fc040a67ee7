"""`sweep logs`: prints the output of a trial, or of the driver of a sweep on a cluster."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import completion
from orchestrator.cli.formats import say
from orchestrator.cli.options import RESULTS, Results
from orchestrator.errors import NoSuchTrialError, OptionsError
from orchestrator.records.paths import SweepPaths

LOOK_S = 0.5
"""Seconds between two looks at a log that is followed."""


def logs(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SWEEP] [TRIAL]",
            help="A sweep (default: the latest), and the number of a trial.",
            autocompletion=completion.sweep_and_trial,
            show_default=False,
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Follow the output until the trial, or the sweep, ends.")
    ] = False,
    results: Results = RESULTS,
) -> None:
    """Print the output of a trial.

    Without TRIAL, for a sweep that runs as a job on a cluster: print the output of its driver."""
    from orchestrator.cli.remote import ray_job, remote_sweep
    from orchestrator.records.find import find_here
    from orchestrator.records.remote_record import read_remote, visible_paths

    sweep, trial = _parsed(words or [])
    here = find_here(results, sweep)
    record, seen = read_remote(here), visible_paths(here)
    if trial is None:
        if record is None:
            raise OptionsError(f"the number of a trial is missing, as in: sweep logs {here.name} 0")
        ray_job.output(here, record, follow=follow)
    elif record is not None and seen == here and not record.pulled_end:
        remote_sweep.ask(here, record, ["logs", str(trial), *(["-f"] if follow else [])])
    else:
        _print_log(seen, trial, follow=follow)


def _parsed(words: list[str]) -> tuple[str | None, int | None]:
    match words:
        case []:
            return None, None
        case [word]:
            return (None, int(word)) if word.isdecimal() else (word, None)
        case [sweep, trial] if trial.isdecimal():
            return sweep, int(trial)
        case [_, trial]:
            raise OptionsError(f"{trial!r} is not a trial; trials are numbered from 0")
    raise OptionsError(f"logs takes one sweep and one trial, as in: sweep logs churn 3; not: {' '.join(words)}")


def _print_log(paths: SweepPaths, trial: int, *, follow: bool) -> None:
    """Print a trial's log; if followed, until the trial ends."""
    _check_exists(paths, trial)
    at = 0
    while True:
        ended = not follow or _has_ended(
            paths, trial
        )  # asked before reading, so that nothing printed meanwhile is lost
        at = _print_from(paths.log(trial), at)
        if ended:
            break
        time.sleep(LOOK_S)
    if at == 0:
        say(f"trial {trial} of {paths.name} has printed nothing")


def _print_from(log: Path, at: int) -> int:
    from orchestrator.cli.live.watch.log_tail import read_from

    for data in read_from(log, at):
        typer.echo(data, nl=False)
        at += len(data)
    return at


def _check_exists(paths: SweepPaths, trial: int) -> None:
    from orchestrator.formatting import count
    from orchestrator.records.load import trials_table

    known = trials_table(paths, ["trial"]).column("trial").to_pylist()
    if trial not in known and not paths.log(trial).exists():
        raise NoSuchTrialError(f"{paths.name} has no trial {trial}; it has {count(len(known), 'trial')}, from 0")


def _has_ended(paths: SweepPaths, trial: int) -> bool:
    from orchestrator.control import lease
    from orchestrator.core.rows import State
    from orchestrator.records.load import trials_table

    if lease.status(paths.lease) not in ("running", "running?"):
        return True
    rows = trials_table(paths, ["trial", "state"]).to_pylist()
    return any(row["trial"] == trial and State(row["state"]).ended for row in rows)
