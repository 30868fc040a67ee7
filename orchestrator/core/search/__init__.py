"""Search methods: which configuration to try next. One method a file; pure ask and tell.

A method is deterministic in (space, seed, sequence of calls). ``ask`` draws from a generator of (seed, trial number),
so nothing has to be asked again after a restart: the recorded tells are told again, and the next ask is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.rows import Config

MAX_REJECTIONS = 1000
"""Draws that may be rejected in a row before a method gives the space up as used up."""


class Accept(Protocol):
    """What a method asks before it proposes a configuration."""

    def __call__(self, config: Config, times: int = 1) -> bool:
        """Whether it may be tried: it is feasible, and was tried less often than so many times."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """How a trial ended, as the search is told it.

    ``value`` is the objective, always finite: for a diverged trial the worst finite value seen so far.
    ``step`` is the rung at which the scheduler stopped it, None if it trained to its end (or diverged).
    """

    number: int
    config: Config
    value: float
    step: int | None = None


class Search(Protocol):
    """A search method."""

    def ask(self, number: int, accept: Accept) -> Config | None:
        """A configuration for this trial number that is accepted; None if the space is used up."""
        ...

    def resume(self, number: int, config: Config) -> None:
        """A configuration asked for before a restart is being trained again."""
        ...

    def tell(self, told: Observation) -> None:
        """A trial has a result. Failed and cancelled trials are forgotten with ``forget`` instead."""
        ...

    def forget(self, number: int) -> None:
        """A trial ended without a result."""
        ...
