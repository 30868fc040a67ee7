"""The results of the previous sweep: its trials, the best, parameter importance, and bounds that the best lie at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from orchestrator.analysis.compare.importance import Weight
from orchestrator.analysis.diagnosis.findings.search_space import AtBound
from orchestrator.analysis.summary.results import SweepResults, TrialResult
from orchestrator.core.rows import State
from orchestrator.space.distribution import Distribution
from trainables.declaration import Hyperparameter

GOOD = 0.15
"""The share of trials that count as good."""

FEWEST_GOOD = 5

FEWEST = 15
"""The fewest trials with a result from which ranges are changed; with fewer, the best third would be chance."""

NEGLIGIBLE = 0.1
"""A parameter whose importance is below this, at the upper end of its interval, does not matter."""

SELDOM = 0.01
"""Significance level for a pattern in a parameter that does not matter otherwise."""


@dataclass(frozen=True, kw_only=True)
class PriorResults:
    """The results of one sweep, as the rules use them."""

    sweep: str
    results: SweepResults
    trials: int  # in the budget of the next sweep
    weights: Mapping[str, Weight] = field(default_factory=dict)  # by parameter, where known
    bounds: Mapping[str, AtBound] = field(default_factory=dict)
    declared: Mapping[str, Hyperparameter] = field(default_factory=dict)

    @property
    def space(self) -> Mapping[str, Distribution]:
        """The searched space."""
        return self.results.space

    @cached_property
    def ranked(self) -> Sequence[TrialResult]:
        """Trials with a result, the best first."""
        return self.results.ranked()

    @cached_property
    def judged(self) -> Sequence[TrialResult]:
        """Trials with a result, then the diverged ones."""
        return [*self.ranked, *(each for each in self.results.trials if each.state is State.DIVERGED)]

    @cached_property
    def good(self) -> Sequence[TrialResult]:
        """The best trials."""
        return self.ranked[: max(FEWEST_GOOD, math.ceil(GOOD * len(self.judged)))]

    @property
    def enough(self) -> bool:
        """Whether there are enough results to change ranges."""
        return len(self.ranked) >= FEWEST

    def good_values(self, name: str) -> list[Any]:
        """The values of a parameter in the good trials that have it, the best first."""
        return [each.config[name] for each in self.good if name in each.config]

    def matters(self, name: str) -> bool:
        """Whether a parameter may matter: its importance is unknown or not negligible."""
        weight = self.weights.get(name)
        return weight is None or weight.high >= NEGLIGIBLE

    def is_significant(self, name: str, chance: float) -> bool:
        """Whether a pattern among the good trials is credible, given its probability by chance.

        A parameter with little importance over the whole range may still matter among the good trials.
        """
        return self.matters(name) or chance <= SELDOM
