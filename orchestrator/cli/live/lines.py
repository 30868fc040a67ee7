"""A launch that is piped: one line when a trial begins and one when it ends, on stdout."""

from __future__ import annotations

import time

import typer

from orchestrator.cli.formats import COLOURS, painted
from orchestrator.cli.live.progress import Change, Tally
from orchestrator.cli.live.write_troubles import Troubles
from orchestrator.cli.views.wording import config_line, one_line
from orchestrator.core.rows import State
from orchestrator.core.sweep import Sweep
from orchestrator.core.trial import Life


class Lines:
    """An observer that prints lines."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._troubles = Troubles()

    def show(self, sweep: Sweep, now: float) -> None:
        """Print what is new."""
        for note in self._tally.notes(sweep):
            typer.echo(f"{_clock(now)}  {painted(one_line(note), 'yellow')}")
        for change in self._tally.look(sweep, now):
            typer.echo(line(change))

    def trouble(self, what: str, why: str | None) -> None:
        """Print it."""
        typer.echo(f"{_clock(time.time())}  {painted(self._troubles.line(what, why), 'yellow')}")


def line(change: Change) -> str:
    """A change on a line."""
    life = change.life
    state = State.RUNNING if change.kind == "began" else life.state
    said = _beginning(life) if change.kind == "began" else ending(life)
    return f"{_clock(change.at)}  trial {life.number:<4} {painted(f'{state:<9}', COLOURS.get(state))}  {said}"


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def ending(life: Life) -> str:
    """Why a trial ended, its value first if it has one."""
    reason = one_line(life.reason or "")
    if life.result is None or life.state in (State.DIVERGED, State.FAILED, State.STOPPED):
        return reason
    return f"{life.objective.metric} {life.result:.6g}: {reason}"


def _beginning(life: Life) -> str:
    if life.attempts == 1:
        return config_line(life.config)
    why = f" after {life.failure.type}: {one_line(life.failure.message)}" if life.failure is not None else ""
    share = f", with {life.enlarged:g} of a GPU" if life.enlarged else ""
    return f"attempt {life.attempts}{why}{share}"
