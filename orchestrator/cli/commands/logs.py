"""`sweep logs`: prints the output of a trial, or of the driver of a sweep on a cluster."""

from __future__ import annotations

import codecs
import time
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import completion
from orchestrator.cli.formats import say, tell_log
from orchestrator.cli.options import RESULTS, Results, sweep_and_trial
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
    rank: Annotated[
        int, typer.Option("--rank", metavar="N", min=0, help="Which rank's output, of a trial with several.")
    ] = 0,
    results: Results = RESULTS,
) -> None:
    """Print the output of a trial.

    Without TRIAL, for a sweep that runs as a job on a cluster: print the output of its driver."""
    from orchestrator.cli.remote import ray_job, remote_sweep
    from orchestrator.records.find import find_here
    from orchestrator.records.remote_record import read_remote, visible_paths

    sweep, trial = sweep_and_trial(words or [], command="logs")
    here = find_here(results, sweep)
    record, seen = read_remote(here), visible_paths(here)
    if trial is None:
        if record is None:
            raise OptionsError(f"the number of a trial is missing, as in: sweep logs {here.name} 0")
        ray_job.output(here, record, follow=follow)
    elif record is not None and seen == here and not record.pulled_end:
        remote_sweep.ask(
            here, record, ["logs", str(trial), *(["-f"] if follow else []), *(["--rank", str(rank)] if rank else [])]
        )
    else:
        _print_log(seen, trial, rank, follow=follow)


def _print_log(paths: SweepPaths, trial: int, rank: int, *, follow: bool) -> None:
    """Print a trial's log; if followed, until the trial ends."""
    _check_exists(paths, trial)
    at, decoder = 0, codecs.getincrementaldecoder("utf-8")("replace")
    while True:
        ended = not follow or _has_ended(
            paths, trial
        )  # asked before reading, so that nothing printed meanwhile is lost
        at = _print_from(paths.log(trial, rank), at, decoder)
        if ended:
            break
        time.sleep(LOOK_S)
    if at == 0:
        who = f"rank {rank} of trial {trial}" if rank else f"trial {trial}"
        say(f"{who} of {paths.name} has printed nothing")


def _print_from(log: Path, at: int, decoder: codecs.IncrementalDecoder) -> int:
    from orchestrator.cli.live.watch.log_tail import read_from

    for data in read_from(log, at):
        tell_log(decoder.decode(data))
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
