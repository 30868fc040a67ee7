"""Schedulers decide which trials to stop or pause early, one policy per file; pure functions of reports, no search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol


class Action(StrEnum):
    """What happens to a trial at a rung."""

    CONTINUE = "continue"
    STOP = "stop"
    PAUSE = "pause"  # it leaves its slot, and may be promoted later
    AUDIT = "audit"  # it would be stopped, and runs on to be audited; of a sweep, never of a scheduler


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """A scheduler's decision about one trial at one rung, and the cutoff it compared against."""

    rung: int  # the rung's step, or its seconds
    value: float  # the objective that entered the rung; infinite for a diverged trial
    cutoff: float  # a trial with a worse value does not continue; infinite if too many diverged to compare
    action: Action

    def why_stopped(self, mode: Literal["min", "max"]) -> str:
        """Why a trial stopped: ``worse than the cutoff 0.3``."""
        low, high = sorted((self.value, self.cutoff))
        worse = self.value == (high if mode == "min" else low) != self.cutoff
        return f"worse than the cutoff {self.cutoff:g}" if worse else "after enough others went on"


@dataclass(frozen=True, kw_only=True, slots=True)
class RungSummary:
    """One row of the table of rungs."""

    bracket: int
    rung: int
    entered: int
    stopped: int  # also if they were paused first, or diverged
    diverged: int
    cutoff: float | None  # of the values so far, about what the next one is compared against; None while empty
    paused: int = 0  # that may still be promoted


class Scheduler(Protocol):
    """A pure policy: the same calls in the same order give the same decisions. Trials are given by number.

    A step is whatever the rungs count: steps of a training, or its seconds (``scheduler.unit``).

    A decision to pause makes the trial a candidate for ``next_promotion`` until ``promote`` or ``release`` names it.
    """

    @property
    def pauses(self) -> bool:
        """Whether trials may be paused, so that their state must be saved at each rung."""
        ...

    def bracket(self, trial: int) -> int:
        """The bracket of a trial, a function of (seed, trial) alone."""
        ...

    def rungs(self, trial: int) -> tuple[int, ...]:
        """The steps at which decisions are due for this trial, ascending."""
        ...

    def report(self, trial: int, step: int, value: float, *, pausable: bool) -> tuple[Decision, ...]:
        """Enter a finite value at each rung that the report reaches, up to the first where the trial does not continue.

        A trial enters a rung once.

        Args:
            trial: A trial that runs.
            step: How far the trial has come with the report.
            value: The objective.
            pausable: Whether the trial's state at this step is saved, so that a pause loses no training.
        """
        ...

    def diverge(self, trial: int) -> tuple[Decision, ...]:
        """Enter a diverged trial at its next rung, as the worst, where it is stopped."""
        ...

    def restore(self, trial: int, decision: Decision) -> None:
        """Take a decision on a finite value that was made before a restart: it stands. An audit counts as a stop."""
        ...

    def next_promotion(self, *, closing: bool) -> int | None:
        """The paused trial that should continue now; None if none should. Changes nothing.

        Args:
            closing: Whether no new trials will come, so that slots are free for what is paused.
        """
        ...

    def promote(self, trial: int) -> None:
        """Take note that a paused trial continues."""
        ...

    def next_surplus(self) -> int | None:
        """A paused trial that has become too unlikely to be promoted; None if there is none. Changes nothing.

        It is to be released: what is paused at a time, and its checkpoints on disk, stay few.
        """
        ...

    def release(self, trial: int) -> None:
        """Take note that a paused trial will never continue. Its value still counts at its rung."""
        ...

    def cutoff_among(self, values: Sequence[float]) -> float | None:
        """The cutoff of a rung that all these values have entered; None if none of them would be stopped."""
        ...

    def table(self) -> tuple[RungSummary, ...]:
        """All rungs, by bracket and step."""
        ...
