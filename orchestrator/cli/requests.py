"""Asks something of a running sweep, and waits until it is done."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from typing import Any

from orchestrator.cli.formats import say
from orchestrator.cli.views.text import config_line
from orchestrator.control import lease, slurm_status
from orchestrator.control.requests import Kind, Request, send
from orchestrator.core.rows import Config, State
from orchestrator.errors import NoSuchTrialError, NotRunningError, SweepError, UserError
from orchestrator.records.decode import trial_rows
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.spec import Space, parse_spec, read_config

PATIENCE_S = 30.0
"""A driver that has not taken a request for so long is not looking."""


def stop(paths: SweepPaths, *, trial: int | None, now: bool) -> dict[str, Any]:
    """Ask, and wait for the end; what was stopped, for programs. A sweep that is queued does not begin.

    Raises:
        UserError: Nobody runs the sweep, or there is no such trial running.
        SweepError: Its driver does not answer, or Slurm refuses.
    """
    if trial is None and lease.status(paths.lease) in ("ended", "dead") and slurm_status.job_status(paths) is not None:
        job = slurm_status.cancel(paths)
        say(f"job {job} of {paths.name} is cancelled")
        return stopped(paths.name, "job", job=job)
    _check_running(paths)
    if trial is not None and trial not in _running(paths):
        running = ", ".join(map(str, _running(paths))) or "none"
        raise NoSuchTrialError(f"trial {trial} of {paths.name} is not running; running: {running}")
    kind: Kind = "dismiss" if trial is not None else "halt" if now else "stop"
    _ask(paths, Request(kind=kind, trial=trial, by=_who("stop")))
    if trial is not None:
        say(f"trial {trial} of {paths.name} ends at its next report")
        return stopped(paths.name, "trial", trial=trial)
    say(f"{paths.name} is stopping" + ("" if now else "; its trials end at their next reports") + " …")
    while lease.status(paths.lease) in ("running", "running?"):
        time.sleep(0.2)
    say(f"{paths.name} has ended")
    return stopped(paths.name, "sweep")


def stopped(sweep: str, what: str, *, trial: int | None = None, job: str | None = None) -> dict[str, Any]:
    """What was stopped, for programs: a sweep, a trial, or a job that had not begun."""
    return {"sweep": sweep, "stopped": what, "trial": trial, "job": job}


def add(paths: SweepPaths, texts: Sequence[str], concurrency: int | None) -> dict[str, Any]:
    """Ask for configurations beside those of the search, and for another number of trials at once.

    Returns:
        What was added, for programs.

    Raises:
        UserError: Nobody runs the sweep; a configuration is none of its space, or was tried before.
        SweepError: Its driver does not answer, or ended before it recorded them.
    """
    _check_running(paths)
    space = parse_spec(read_sweep_json(paths.info).spec, base=paths.root).parameter_space()
    configs = [read_config(text, space, name="--config") for text in texts]
    tried = _tried(paths, space)
    for config in configs:
        if (before := tried.get(space.key(config))) is not None:
            raise UserError(f"--config: trial {before} of {paths.name} has this configuration already")
    if concurrency is not None:
        _ask(paths, Request(kind="concurrency", concurrency=concurrency, by=_who("add")))
        say(f"{paths.name} runs at most {concurrency} trials at once from now on, as far as they fit")
    for config in configs:
        _ask(paths, Request(kind="add", config=config, by=_who("add")))
    added = [(_recorded(paths, space, config), config) for config in configs]
    for number, config in added:
        say(f"trial {number} of {paths.name} is the next to start: {config_line(config)}")
    trials = [{"trial": number, "config": config} for number, config in added]
    return {"sweep": paths.name, "concurrency": concurrency, "trials": trials}


def _recorded(paths: SweepPaths, space: Space, config: Config) -> int:
    """Wait until the trial stands in the records; its number."""
    deadline = time.monotonic() + PATIENCE_S
    while (number := _tried(paths, space).get(space.key(config))) is None:
        if time.monotonic() > deadline or lease.status(paths.lease) not in ("running", "running?"):
            raise SweepError(f"{paths.name} ended without recording the configuration; `sweep resume` it and ask again")
        time.sleep(0.2)
    return number


def _tried(paths: SweepPaths, space: Space) -> dict[str, int]:
    kinds = {name: distribution.kind for name, distribution in space.parameters.items()}
    return {space.key(row.config): row.trial for row in trial_rows(trials_table(paths), kinds)}


def _check_running(paths: SweepPaths) -> None:
    status = lease.status(paths.lease)
    if status not in ("running", "running?"):
        hint = "it died; `sweep resume` goes on with it" if status == "dead" else "it has ended"
        raise NotRunningError(f"{paths.name} is not running: {hint}")


def _who(command: str) -> str:
    return f"sweep {command} (pid {os.getpid()} on {socket.gethostname()})"


def _ask(paths: SweepPaths, request: Request) -> None:
    """Send it, and wait until the driver has taken it."""
    file = send(paths.requests, request)
    deadline = time.monotonic() + PATIENCE_S
    while file.exists():
        if time.monotonic() > deadline:
            file.unlink(missing_ok=True)
            raise SweepError(f"the driver of {paths.name} did not answer for {PATIENCE_S:.0f} s")
        time.sleep(0.1)


def _running(paths: SweepPaths) -> list[int]:
    table = trials_table(paths, ["trial", "state"]).to_pylist()
    return [row["trial"] for row in table if row["state"] in (State.RUNNING, State.PENDING)]
