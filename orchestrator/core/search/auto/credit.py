"""Who proposes next: members are drawn in proportion to how far their latest proposals have got."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

from orchestrator.core.search.auto.evidence import Evidence

NEWEST = 30  # proposals of a member that count
SHARPNESS = 4.0
BOUND = 3.0  # a share grows or shrinks by this factor at most


class Credit:
    """Counts the proposals of each member.

    Args:
        shares: The members' shares before anything is known.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._shares = shares
        self._proposals = {name: deque[int](maxlen=NEWEST) for name in shares}

    def count(self, member: str, number: int) -> None:
        """A trial that the member proposed has its first value, or broke."""
        if member in self._proposals:
            self._proposals[member].append(number)

    def shares(self, evidence: Evidence) -> list[float]:
        """The share of each member, in the order of the constructor; they add up to 1."""
        standing = _standing(evidence)
        means = [_mean([standing[number] for number in numbers]) for numbers in self._proposals.values()]
        known = [mean for mean in means if mean is not None]
        middle = sum(known) / len(known) if known else 0.0
        factors = [1.0 if mean is None else float(np.exp(SHARPNESS * (mean - middle))) for mean in means]
        weights = [
            share * min(max(factor, 1 / BOUND), BOUND)
            for share, factor in zip(self._shares.values(), factors, strict=True)
        ]
        return [weight / sum(weights) for weight in weights]


def _standing(evidence: Evidence) -> dict[int, float]:
    """The share of the trials that each one outdoes: by the step that it reached, then by its loss."""
    numbers = list(evidence.trials)
    known = [evidence.trials[number] for number in numbers]
    order = sorted(range(len(known)), key=lambda at: (not known[at].broken, known[at].step, -known[at].loss))
    return {numbers[at]: place / len(known) for place, at in enumerate(order)}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if len(values) >= 5 else None
