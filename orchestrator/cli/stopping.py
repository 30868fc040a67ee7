"""Asks a running sweep to stop, and waits until it has."""

from __future__ import annotations

import os
import socket
import time

from orchestrator.cli.output import say
from orchestrator.control import lease
from orchestrator.control.requests import Kind, Request, send
from orchestrator.errors import SweepError, UserError
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.rows import State

PATIENCE_S = 30.0
"""A driver that has not taken a request for so long is not looking."""


def stop(paths: SweepPaths, *, trial: int | None, now: bool) -> None:
    """Ask, and wait for the end.

    Raises:
        UserError: Nobody runs the sweep, or there is no such trial running.
        SweepError: Its driver does not answer.
    """
    status = lease.status(paths.lease)
    if status not in ("running", "running?"):
        hint = "it died; `sweep resume` goes on with it" if status == "dead" else "it has ended"
        raise UserError(f"{paths.name} is not running: {hint}")
    if trial is not None and trial not in _running(paths):
        running = ", ".join(map(str, _running(paths))) or "none"
        raise UserError(f"trial {trial} of {paths.name} is not running; running: {running}")
    kind: Kind = "dismiss" if trial is not None else "halt" if now else "stop"
    by = f"sweep stop (pid {os.getpid()} on {socket.gethostname()})"
    request = send(paths.requests, Request(kind=kind, trial=trial, by=by))
    deadline = time.monotonic() + PATIENCE_S
    while request.exists():
        if time.monotonic() > deadline:
            request.unlink(missing_ok=True)
            raise SweepError(f"the driver of {paths.name} did not answer for {PATIENCE_S:.0f} s")
        time.sleep(0.1)
    if trial is not None:
        say(f"trial {trial} of {paths.name} ends at its next report")
        return
    say(f"{paths.name} is stopping" + ("" if now else "; its trials end at their next reports") + " …")
    while lease.status(paths.lease) in ("running", "running?"):
        time.sleep(0.2)
    say(f"{paths.name} has ended")


def _running(paths: SweepPaths) -> list[int]:
    table = trials_table(paths, ["trial", "state"]).to_pylist()
    return [row["trial"] for row in table if row["state"] in (State.RUNNING, State.PENDING)]
