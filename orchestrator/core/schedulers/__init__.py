"""Schedulers: which trials are worth going on with. One policy a file; a report in, decisions out, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a scheduler made of one trial at one rung, and the cutoff it compared against."""

    rung: int  # the rung's step
    value: float  # the objective that entered; infinite for a diverged trial
    cutoff: float  # a worse value stops the trial; infinite if too many diverged to compare
    stop: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RungSummary:
    """A rung as the rung table shows it."""

    bracket: int
    rung: int
    entered: int
    stopped: int
    diverged: int
    cutoff: float | None  # what the next report is compared against, roughly; None while empty


class Scheduler(Protocol):
    """A pure policy: the same calls in the same order give the same decisions. Trials are their numbers."""

    def bracket(self, trial: int) -> int:
        """The bracket of a trial: a function of (seed, trial) alone."""
        ...

    def rungs(self, trial: int) -> tuple[int, ...]:
        """The steps at which decisions are due for this trial, ascending."""
        ...

    def report(self, trial: int, step: int, value: float) -> tuple[Decision, ...]:
        """Enter a finite value at each rung that this report reaches; a rung is entered once a trial."""
        ...

    def diverge(self, trial: int) -> tuple[Decision, ...]:
        """Enter the trial as the worst at the next rung it would have come to."""
        ...

    def cutoff_among(self, values: Sequence[float]) -> float | None:
        """The cutoff of a rung that all of these have entered; None if none of them would be stopped."""
        ...

    def table(self) -> tuple[RungSummary, ...]:
        """All rungs, by bracket and step."""
        ...
