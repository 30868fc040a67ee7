"""Search methods choose the next configuration, one method per file; pure ask and tell, no decisions about trials.

A method is deterministic in (space, seed, sequence of calls). ``ask`` draws from a generator seeded by (seed, trial
number), so a restart repeats only the recorded calls of ``tell``, and the next ``ask`` gives the same configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from orchestrator.core.rows import Config

MAX_REJECTIONS = 1000
"""Draws rejected in a row after which a method counts the space as used up."""


class Accept(Protocol):
    """Tells a method whether it may propose a configuration."""

    def __call__(self, config: Config, times: int = 1) -> bool:
        """Whether the configuration is feasible and was tried less than ``times`` times."""
        ...


class Outcome(StrEnum):
    """What has become of a trial that the search is told of."""

    RUNG = "rung"  # it entered a rung and was not stopped there: it goes on, now or later
    STOPPED = "stopped"  # by the scheduler
    COMPLETED = "completed"
    DIVERGED = "diverged"
    FAILED = "failed"  # by its own fault; a trial that lost its node is retried and not told

    @property
    def ended(self) -> bool:
        """Whether the trial has ended."""
        return self is not Outcome.RUNG


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What a trial has reached, or how it ended.

    Attributes:
        number: The trial.
        config: Its configuration.
        outcome: Whether it goes on, and if not, how it ended.
        value: The objective as reported, finite; None if the trial diverged or failed.
        step: The rung, if the trial goes on or was stopped at one; else its last step, None before the first report.
            With ``scheduler.unit: seconds``, seconds of training.
        train_s: Seconds of training up to there, over all attempts; None in a sweep recorded without them.
    """

    number: int
    config: Config
    outcome: Outcome
    value: float | None = None
    step: int | None = None
    train_s: float | None = None


class NotReadyError(Exception):
    """A proposal is still being computed; ask again later."""


class Search(Protocol):
    """A search method."""

    def ask(self, number: int, accept: Accept) -> Config | None:
        """An accepted configuration for the trial with this number; None if the space is used up.

        Raises:
            NotReadyError: It is computed beside the caller (driver/proposals.py); no method raises this itself.
        """
        ...

    def resume(self, number: int, config: Config) -> None:
        """Count a trial as running that ``ask`` did not propose just now: a start point, an added or continued trial.

        A trial that has been told before will be told again; what was told of it as a failure was not its fault.
        """
        ...

    def tell(self, observation: Observation) -> None:
        """Learn what a trial has reached: at each rung where it goes on, and once when it has ended.

        For cancelled trials, ``forget`` is called instead.
        """
        ...

    def forget(self, number: int) -> None:
        """Forget a trial that ended without a result."""
        ...
