"""The progress of a session: which trials started or ended since the last look, its pace, and the time left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.core.rows import State
from orchestrator.core.sweep import Sweep
from orchestrator.core.trial import Trial


@dataclass(frozen=True, kw_only=True)
class Change:
    """A trial began an attempt, paused, or ended."""

    trial: Trial
    kind: Literal["began", "paused", "ended"]
    at: float  # seconds since the epoch


@dataclass(kw_only=True)
class Progress:
    """The progress of a session, of which pace and overhead leave out what earlier sessions did.

    Only trials that have not ended are looked at, so a look costs the same late in a sweep.
    """

    slots: Callable[[], int]  # how many trials may run at once, now
    counts: Counter[State] = field(default_factory=Counter)  # of trials that have ended
    began: float | None = None  # when the first trial of this session did
    now: float = 0.0
    trained_s: float = 0.0  # of all trials, in this session
    total: int | None = 0  # trials there will be; None: no number ends the sweep
    time_share: float | None = None  # of the budgets of time, used up
    time_left_s: float | None = None  # until budget.hours ends the sweep
    running: list[Trial] = field(default_factory=list)
    paused: int = 0  # trials that wait at a rung
    results: dict[int, float] = field(default_factory=dict)  # of trials that have ended
    slots_s: float = 0.0  # seconds of all slots, since the first trial began
    _timed: float | None = None  # until when they are counted
    _heard: int = 0  # notes seen
    _known: int = 0  # trials seen
    _before: int = 0  # trials that had ended, or waited at a rung, before this session
    _before_s: float = 0.0  # trained before this session
    _reopened: int = 0  # of those trials that had failed and go on
    _open: dict[int, int] = field(default_factory=dict)  # trials not ended: attempts seen
    _told: dict[int, int] = field(default_factory=dict)  # paused trials: attempts, once told
    _ended_s: float = 0.0  # trained in trials that have ended

    @classmethod
    def of(cls, sweep: Sweep, *, slots: Callable[[], int]) -> Progress:
        """The progress of a session that begins now, in a sweep that may have trials already."""
        progress = cls(slots=slots)
        progress._known = len(sweep.trials)
        progress._before_s = sum(trial.train_s for trial in sweep.trials)
        for trial in sweep.trials:
            if trial.state.ended:
                progress._close(trial)
            else:
                progress._open[trial.number] = trial.attempts if trial.started_at is not None else 0
            if trial.state is State.PAUSED:
                progress._told[trial.number] = trial.attempts
                progress.paused += 1
        progress._before = progress.done
        return progress

    def look(self, sweep: Sweep, now: float) -> list[Change]:
        """The changes since the last look, by trial."""
        self.now = now
        self.total = sweep.total
        limits, ran_s = sweep.limits, sweep.usage.wall_s(now)
        self.time_share = limits.share_used(ran_s, sweep.usage.gpu_s)
        self.time_left_s = None if limits.seconds is None else max(0.0, limits.seconds - ran_s)
        for trial in sweep.trials[self._known :]:
            self._open[trial.number] = 0
        self._known = len(sweep.trials)
        for trial in sweep.retries.reopened[self._reopened :]:
            self._reopen(trial)
        self._reopened = len(sweep.retries.reopened)
        changes = [change for number in list(self._open) for change in self._changes(sweep.trials[number])]
        trials = [sweep.trials[number] for number in self._open]
        self.running = [trial for trial in trials if trial.state is State.RUNNING]
        self.paused = sum(trial.state is State.PAUSED for trial in trials)
        self.trained_s = self._ended_s + sum(trial.train_s for trial in trials) - self._before_s
        if self.began is not None:
            self.slots_s += max(0.0, now - (self._timed or self.began)) * self.slots()
            self._timed = now
        return changes

    def notes(self, sweep: Sweep) -> list[str]:
        """The notes that the sweep made since the last call."""
        new = sweep.journal.notes[self._heard :]
        self._heard += len(new)
        return new

    def _close(self, trial: Trial) -> None:
        self.counts[trial.state] += 1
        self._ended_s += trial.train_s
        if trial.judged and trial.result is not None:
            self.results[trial.number] = trial.result

    def _reopen(self, trial: Trial) -> None:
        if trial.number not in self._open:
            self._open[trial.number] = trial.attempts
            self.counts[State.FAILED] -= 1
            self._ended_s -= trial.train_s
            self.results.pop(trial.number, None)

    def _changes(self, trial: Trial) -> list[Change]:
        changes = []
        if trial.attempts > self._open[trial.number] and trial.state is not State.PENDING and trial.started_at:
            began = trial.started_at if trial.attempts == 1 else self.now
            self.began = began if self.began is None else self.began
            self._open[trial.number] = trial.attempts
            changes.append(Change(trial=trial, kind="began", at=began))
        if trial.state is State.PAUSED and self._told.get(trial.number) != trial.attempts:
            self._told[trial.number] = trial.attempts
            changes.append(Change(trial=trial, kind="paused", at=self.now))
        if trial.state.ended:
            del self._open[trial.number]
            self._close(trial)
            changes.append(Change(trial=trial, kind="ended", at=trial.ended_at or self.now))
        return changes

    @property
    def starting(self) -> int:
        """Trials that wait for a worker."""
        return len(self._open) - len(self.running) - self.paused

    @property
    def ended(self) -> int:
        """Trials that have ended."""
        return self.counts.total()

    @property
    def done(self) -> int:
        """Trials that have ended, or wait at a rung."""
        return self.ended + self.paused

    @property
    def wall_s(self) -> float:
        """Seconds since the first trial began."""
        return 0.0 if self.began is None else max(0.0, self.now - self.began)

    @property
    def per_minute(self) -> float:
        """Trials that ended or paused per minute."""
        return 60 * (self.done - self._before) / self.wall_s if self.wall_s else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds that the remaining trials will take at the pace so far, within budget.hours; None: unknown."""
        if self.total is None:
            return self.time_left_s
        done = self.done - self._before
        if done < max(3, self.slots()):
            return None
        by_pace = self.wall_s / done * (self.total - self.done)
        return by_pace if self.time_left_s is None else min(by_pace, self.time_left_s)

    @property
    def share(self) -> float | None:
        """How much of the sweep is done, 0 to 1: of its trials, or else of its time. None: nothing says."""
        return self.time_share if self.total is None else self.done / max(1, self.total)

    @property
    def overhead(self) -> float | None:
        """The share of the slots' time that was not training; None until a trial has ended or paused in this session:
        what the first ones have trained is not known before."""
        if self.wall_s < 1 or not self.slots_s or self.done <= self._before:
            return None
        return max(0.0, 1 - self.trained_s / self.slots_s)
