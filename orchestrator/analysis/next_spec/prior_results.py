"""What a sweep has taught: its trials, the best of them, what matters, and at which bounds the best lie."""

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
from trainables.contract import Hyperparameter

GOOD = 0.15
"""The share of trials that count as the good ones."""

FEWEST_GOOD = 5

FEWEST = 15
"""Fewer trials with a result than this, and no range is changed: their best third would be chance."""

NEGLIGIBLE = 0.1
"""A parameter whose share is below this at the upper end of its interval does not matter."""

SELDOM = 0.01
"""How likely by chance something may be that is believed of a parameter that does not matter otherwise."""


@dataclass(frozen=True, kw_only=True)
class PriorResults:
    """Of one sweep."""

    sweep: str
    results: SweepResults
    trials: int  # that the next one may have
    weights: Mapping[str, Weight] = field(default_factory=dict)  # by parameter; one without a figure is left out
    bounds: Mapping[str, AtBound] = field(default_factory=dict)
    declared: Mapping[str, Hyperparameter] = field(default_factory=dict)

    @property
    def space(self) -> Mapping[str, Distribution]:
        """What was searched."""
        return self.results.space

    @cached_property
    def ranked(self) -> Sequence[TrialResult]:
        """Trials with a result, the best first."""
        return self.results.ranked()

    @cached_property
    def judged(self) -> Sequence[TrialResult]:
        """Those, and the diverged ones."""
        return [*self.ranked, *(each for each in self.results.trials if each.state is State.DIVERGED)]

    @cached_property
    def good(self) -> Sequence[TrialResult]:
        """The best trials."""
        return self.ranked[: max(FEWEST_GOOD, math.ceil(GOOD * len(self.judged)))]

    @property
    def enough(self) -> bool:
        """Whether there are trials enough to change ranges by."""
        return len(self.ranked) >= FEWEST

    def good_values(self, name: str) -> list[Any]:
        """A parameter's values in the good trials that have it, the best first."""
        return [each.config[name] for each in self.good if name in each.config]

    def matters(self, name: str) -> bool:
        """Whether a parameter may matter: it has no figure, or one that is not negligible."""
        weight = self.weights.get(name)
        return weight is None or weight.high >= NEGLIGIBLE

    def is_significant(self, name: str, chance: float) -> bool:
        """Whether what the good trials have in common is to be believed, given how likely it is by chance.

        What weighs little over the whole range may count among the good trials, where a learning rate does no longer.
        """
        return self.matters(name) or chance <= SELDOM
