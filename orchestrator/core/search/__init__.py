"""Search methods choose the next configuration, one method per file; pure ask and tell, no decisions about trials.

A method is deterministic in (space, seed, sequence of calls). ``ask`` draws from a generator seeded by (seed, trial
number), so a restart repeats only the recorded calls of ``tell``, and the next ``ask`` gives the same configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.rows import Config

MAX_REJECTIONS = 1000
"""Draws rejected in a row after which a method counts the space as used up."""


class Accept(Protocol):
    """Tells a method whether it may propose a configuration."""

    def __call__(self, config: Config, times: int = 1) -> bool:
        """Whether the configuration is feasible and was tried less than ``times`` times."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """The result of a trial, for the search.

    ``value`` is the objective, always finite: for a diverged trial, the worst finite value so far.
    ``step`` is the rung at which the scheduler stopped the trial; None if the trial completed or diverged.
    """

    number: int
    config: Config
    value: float
    step: int | None = None


class Search(Protocol):
    """A search method."""

    def ask(self, number: int, accept: Accept) -> Config | None:
        """An accepted configuration for the trial with this number; None if the space is used up."""
        ...

    def resume(self, number: int, config: Config) -> None:
        """Count a trial as running that ``ask`` did not propose just now: a start point, a restarted or added trial."""
        ...

    def tell(self, observation: Observation) -> None:
        """Learn the result of a trial. For failed and cancelled trials, ``forget`` is called instead."""
        ...

    def forget(self, number: int) -> None:
        """Forget a trial that ended without a result."""
        ...
