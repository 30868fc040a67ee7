"""Sends a request to the driver of a running sweep, and waits until the driver has carried it out."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from orchestrator.cli.formats import say
from orchestrator.cli.views.text import config_line
from orchestrator.control import lease, slurm_status
from orchestrator.control.requests import Kind, Request, send, set_aside
from orchestrator.core.rows import Config, State
from orchestrator.errors import NoSuchTrialError, NotRunningError, SweepError, UserError
from orchestrator.records.decode import trial_rows
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.spec import Space, parse_spec, read_config

PATIENCE_S = 30.0
"""Seconds after which a driver that has not accepted a request counts as unresponsive."""


def stop(paths: SweepPaths, *, trial: int | None, now: bool) -> dict[str, Any]:
    """Stop a sweep and wait until it has ended, or stop one trial. A queued sweep is cancelled.

    Returns:
        What was stopped, as data.

    Raises:
        NotRunningError: The sweep is not running.
        NoSuchTrialError: The trial is not running.
        SweepError: The driver does not answer, or Slurm refuses.
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
        say(f"trial {trial} of {paths.name} stops at its next report")
        return stopped(paths.name, "trial", trial=trial)
    say(f"{paths.name} is stopping" + ("" if now else "; its trials stop at their next reports") + " …")
    while lease.status(paths.lease) in ("running", "running?"):
        time.sleep(0.2)
    say(f"{paths.name} has ended")
    return stopped(paths.name, "sweep")


def stopped(sweep: str, what: str, *, trial: int | None = None, job: str | None = None) -> dict[str, Any]:
    """What was stopped, as data: a sweep, a trial, or a queued job."""
    return {"sweep": sweep, "stopped": what, "trial": trial, "job": job}


def add(paths: SweepPaths, texts: Sequence[str], concurrency: int | None) -> dict[str, Any]:
    """Add configurations to a running sweep, and change how many trials run at once.

    Returns:
        What was added, as data.

    Raises:
        UserError: The sweep is not running, or a configuration is outside its space or was tried before.
        SweepError: The driver does not answer, or ended before it recorded the configurations.
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
        say(f"{paths.name} now runs at most {concurrency} trials at once")
    for config in configs:
        _ask(paths, Request(kind="add", config=config, by=_who("add")))
    added = [(_recorded(paths, space, config), config) for config in configs]
    for number, config in added:
        say(f"trial {number} of {paths.name} starts next: {config_line(config)}")
    trials = [{"trial": number, "config": config} for number, config in added]
    return {"sweep": paths.name, "concurrency": concurrency, "trials": trials}


def _recorded(paths: SweepPaths, space: Space, config: Config) -> int:
    """Wait until the configuration is recorded as a trial, and return the trial's number."""
    deadline = time.monotonic() + PATIENCE_S
    while (number := _tried(paths, space).get(space.key(config))) is None:
        if time.monotonic() > deadline or lease.status(paths.lease) not in ("running", "running?"):
            raise SweepError(f"{paths.name} ended before it recorded the configuration; resume it, then add again")
        time.sleep(0.2)
    return number


def _tried(paths: SweepPaths, space: Space) -> dict[str, int]:
    kinds = {name: distribution.kind for name, distribution in space.parameters.items()}
    return {space.key(row.config): row.trial for row in trial_rows(trials_table(paths), kinds, paths.trials_table)}


def _check_running(paths: SweepPaths) -> None:
    status = lease.status(paths.lease)
    if status not in ("running", "running?"):
        hint = "its driver died; continue with sweep resume" if status == "dead" else "it has ended"
        raise NotRunningError(f"{paths.name} is not running: {hint}")


def _who(command: str) -> str:
    return f"sweep {command} (pid {os.getpid()} on {socket.gethostname()})"


def _ask(paths: SweepPaths, request: Request) -> None:
    """Send a request, and wait until the driver has accepted it."""
    file = send(paths.requests, request)
    deadline = time.monotonic() + PATIENCE_S
    while file.exists():
        if time.monotonic() > deadline:
            with suppress(OSError):
                file.unlink(missing_ok=True)
            raise SweepError(f"the driver of {paths.name} did not answer for {PATIENCE_S:.0f} s")
        time.sleep(0.1)
    if (aside := set_aside(file)).exists():
        why = f"sweep show {paths.name}, or what the driver prints, says why"
        raise SweepError(f"the driver of {paths.name} has set the request aside, as {aside}; {why}")


def _running(paths: SweepPaths) -> list[int]:
    table = trials_table(paths, ["trial", "state"]).to_pylist()
    return [row["trial"] for row in table if not State(row["state"]).ended]
