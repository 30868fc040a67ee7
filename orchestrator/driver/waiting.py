"""Tells what a sweep waits for, so that no wait is silent: trials that do not report, and those that are to end."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.rows import State
from orchestrator.core.sweep import Sweep
from orchestrator.core.trial import Trial
from orchestrator.driver.observer import SILENT_TRIALS, STOPPING, Observer
from orchestrator.formatting import duration, listed

LOOK_S = 1.0
UNHEARD_S = 60.0
"""Seconds after which a process that does not start or answer is mentioned. A worker answers every few seconds."""


@dataclass(frozen=True, kw_only=True)
class _Heard:
    attempt: int
    at: float
    silent_s: float  # for how long the trial had not reported; 0: not unusually long
    place: str


class Waiting:
    """Watches the live trials of a sweep, and tells the observer of those that are unusually silent."""

    def __init__(self, sweep: Sweep, observer: Observer) -> None:
        self._sweep = sweep
        self._observer = observer
        self._heard: dict[int, _Heard] = {}  # by trial
        self._told: int | None = None  # the trial of the sentence that stands
        self._next = 0.0
        self._stopping = False

    def heard(self, trial: int, at: float, *, silent_s: float, place: str) -> None:
        """Take what a worker says about its trial.

        Args:
            trial: The number of the trial.
            at: The time.
            silent_s: For how long it has reported nothing, if that is unusually long; else 0.
            place: Where its code is then.
        """
        attempt = self._sweep.trials[trial].attempts
        self._heard[trial] = _Heard(attempt=attempt, at=at, silent_s=silent_s, place=place)

    def look(self, now: float) -> None:
        """Tell of silent trials: once when the first is, and when another is the most silent."""
        if now < self._next:
            return
        self._next = now + LOOK_S
        silent = sorted(filter(None, (self._silence(trial, now) for trial in self._sweep.live_trials())))
        if not silent:
            if self._told is not None and self._sweep.live:
                self._observer.trouble(SILENT_TRIALS, None)
            self._told = None
            return
        _, number, sentence = silent[-1]
        if number != self._told:
            self._told = number
            others = f"; {len(silent) - 1} more are silent" if len(silent) > 1 else ""
            self._observer.trouble(SILENT_TRIALS, sentence + others)

    def stopping(self, reason: str, *, grace_s: float | None) -> None:
        """Tell, once, for what a sweep waits that was asked to stop.

        Args:
            reason: Why it stops.
            grace_s: How long it waits; None: as long as it takes.
        """
        running = [trial.number for trial in self._sweep.live_trials() if trial.state is State.RUNNING]
        if self._stopping or not running:
            return
        self._stopping = True
        bound = "as long as it takes; sweep stop --now ends them" if grace_s is None else f"{grace_s:g} s at most"
        trials = f"trial{'s' if len(running) > 1 else ''} {listed(list(map(str, running)))}"
        self._observer.trouble(STOPPING, f"{reason}; waiting for the next report of {trials}, {bound}")

    def _silence(self, trial: Trial, now: float) -> tuple[float, int, str] | None:
        """For how long a trial has been silent, its number, and a sentence; None if that is nothing unusual."""
        if (waited := trial.starting_s(now)) is not None:
            if waited < UNHEARD_S:
                return None
            return waited, trial.number, f"trial {trial.number} has been starting for {duration(waited)}"
        heard = self._heard.get(trial.number)
        known = heard is not None and heard.attempt == trial.attempts
        unheard = now - heard.at if heard is not None and known else trial.ran_s(now)
        if unheard >= UNHEARD_S:
            sentence = f"the process of trial {trial.number} has not answered for {duration(unheard)}"
            return unheard, trial.number, sentence
        if heard is None or not known or not heard.silent_s:
            return None
        where = f"; it is at {heard.place}" if heard.place else ""
        said = f"trial {trial.number} has reported nothing for {duration(heard.silent_s)}{where}"
        return heard.silent_s, trial.number, said
