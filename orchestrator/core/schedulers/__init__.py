"""Schedulers decide which trials to stop early, one policy per file; pure functions of reports, no search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """A scheduler's decision about one trial at one rung, and the cutoff it compared against."""

    rung: int  # the rung's step
    value: float  # the objective that entered the rung; infinite for a diverged trial
    cutoff: float  # a worse value stops the trial; infinite if too many diverged to compare
    stop: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RungSummary:
    """One row of the table of rungs."""

    bracket: int
    rung: int
    entered: int
    stopped: int
    diverged: int
    cutoff: float | None  # of the values so far, about what the next one is compared against; None while empty


class Scheduler(Protocol):
    """A pure policy: the same calls in the same order give the same decisions. Trials are given by number."""

    def bracket(self, trial: int) -> int:
        """The bracket of a trial, a function of (seed, trial) alone."""
        ...

    def rungs(self, trial: int) -> tuple[int, ...]:
        """The steps at which decisions are due for this trial, ascending."""
        ...

    def report(self, trial: int, step: int, value: float) -> tuple[Decision, ...]:
        """Enter a finite value at each rung that the report reaches; a trial enters a rung once."""
        ...

    def diverge(self, trial: int) -> tuple[Decision, ...]:
        """Enter a diverged trial at its next rung, as the worst."""
        ...

    def cutoff_among(self, values: Sequence[float]) -> float | None:
        """The cutoff of a rung that all these values have entered; None if none of them would be stopped."""
        ...

    def table(self) -> tuple[RungSummary, ...]:
        """All rungs, by bracket and step."""
        ...
