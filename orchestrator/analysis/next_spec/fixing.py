"""The rule for what does not matter: it is fixed, where there are too few trials for so many parameters."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.analysis.next_spec.experience import Experience
from orchestrator.analysis.next_spec.revision import Revision
from orchestrator.core.plan import TRIALS_PER_DIMENSION
from orchestrator.formatting import yaml


def fix(known: Experience) -> Iterator[Revision]:
    """The parameters that matter least get the value of the best trial, until there are trials enough for the others.

    Those that only some trials have stay as they are.
    """
    dimensions = len(known.space)
    light = [weight for weight in known.weights.values() if not known.matters(weight.name)]
    best = known.ranked[0].config
    for weight in sorted(light, key=lambda weight: (weight.high, weight.share)):
        if known.trials >= TRIALS_PER_DIMENSION * dimensions or dimensions == 1:
            return
        distribution = known.space[weight.name]
        if weight.name not in best or distribution.when is not None:
            continue
        dimensions -= 1
        share = f"it explains {max(weight.high, 0.01):.0%} of the differences at most"
        few = f"{known.trials} trials are few for {len(known.space)} parameters"
        yield Revision(
            edits={("fixed", weight.name): best[weight.name], ("space", weight.name): None},
            reason=f"was searched: {share}, and {few}; the best trial has {yaml(best[weight.name])}",
        )
