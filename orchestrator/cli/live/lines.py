"""Shows a session that has no terminal: one line on stdout when a trial starts, and one when it ends."""

from __future__ import annotations

import time

from orchestrator.cli.formats import COLOURS, painted, tell
from orchestrator.cli.live.progress import Change, Progress
from orchestrator.cli.live.write_troubles import WriteTroubles
from orchestrator.cli.views.text import config_line, one_line
from orchestrator.core.rows import State
from orchestrator.core.rung_unit import rung_name
from orchestrator.core.sweep import Sweep
from orchestrator.core.trial import Trial
from orchestrator.spec.sections import Unit


class LineObserver:
    """An observer of a session that prints lines."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._troubles = WriteTroubles()

    def show(self, sweep: Sweep, now: float) -> None:
        """Print what is new."""
        for note in self._progress.notes(sweep):
            tell(f"{_clock(now)}  {painted(one_line(note), 'yellow')}")
        for change in self._progress.look(sweep, now):
            tell(line(change, sweep.rungs.unit))

    def trouble(self, what: str, why: str | None) -> None:
        """Print the trouble."""
        tell(f"{_clock(time.time())}  {painted(self._troubles.line(what, why), 'yellow')}")


def line(change: Change, unit: Unit = "steps") -> str:
    """One line for a trial that started, paused or ended. ``unit``: of the rungs."""
    trial = change.trial
    match change.kind:
        case "began":
            state, said = State.RUNNING, _beginning(trial)
        case "paused":
            state, said = (
                State.PAUSED,
                f"{trial.objective.metric} {trial.last:.6g} at rung {rung_name(trial.rung, unit)}",
            )
        case "ended":
            state, said = trial.state, ending(trial)
    return f"{_clock(change.at)}  trial {trial.number:<4} {painted(f'{state:<9}', COLOURS.get(state))}  {said}"


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def ending(trial: Trial) -> str:
    """Why a trial ended, preceded by its result if it has one."""
    reason = one_line(trial.reason or "")
    if trial.result is None or trial.state in (State.DIVERGED, State.FAILED, State.STOPPED):
        return reason
    return f"{trial.objective.metric} {trial.result:.6g}: {reason}"


def _beginning(trial: Trial) -> str:
    if trial.attempts == 1:
        return config_line(trial.config)
    why = f" after {trial.failure.type}: {one_line(trial.failure.message)}" if trial.failure is not None else ""
    share = f", with {trial.own_gpu_share:g} of a GPU" if trial.own_gpu_share else ""
    return f"attempt {trial.attempts}{why}{share}"
