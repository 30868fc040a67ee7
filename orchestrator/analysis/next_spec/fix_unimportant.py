"""The rule for unimportant parameters: they are fixed if there are too few trials for so many parameters."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.analysis.next_spec.prior_results import PriorResults
from orchestrator.analysis.next_spec.spec_change import SpecChange
from orchestrator.core.plan import TRIALS_PER_DIMENSION
from orchestrator.formatting import yaml


def fix_unimportant(prior: PriorResults) -> Iterator[SpecChange]:
    """Fix the least important parameters at the best trial's value, until there are enough trials for the others.

    Conditional parameters stay as they are.
    """
    dimensions = len(prior.space)
    light = [weight for weight in prior.weights.values() if not prior.matters(weight.name)]
    best = prior.ranked[0].config
    for weight in sorted(light, key=lambda weight: (weight.high, weight.share)):
        if prior.trials >= TRIALS_PER_DIMENSION * dimensions or dimensions == 1:
            return
        distribution = prior.space[weight.name]
        if weight.name not in best or distribution.when is not None:
            continue
        dimensions -= 1
        share = f"it explains at most {max(weight.high, 0.01):.0%} of the variation"
        few = f"{prior.trials} trials are too few for {len(prior.space)} parameters"
        yield SpecChange(
            edits={("fixed", weight.name): best[weight.name], ("space", weight.name): None},
            reason=f"was searched: {share}, and {few}; the best trial has {yaml(best[weight.name])}",
        )
