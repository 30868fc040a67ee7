"""The member that takes local steps: differences between good configurations, added to another good one.

Differential evolution (Storn and Price 1997; for hyperparameters, Awad et al. 2021, "DEHB", section 4) around the few
best at the highest rung that some have reached.
"""

from __future__ import annotations

import numpy as np

from orchestrator.core.search.auto.encoding import Array
from orchestrator.core.search.auto.evidence import Evidence

ELITE = 8
LEAST = 5
SCALE = 0.7  # of the difference
JITTER = 0.05
CHANGED = 0.7  # share of the parameters that a step changes
DRAWS = 8


class Local:
    """Proposes steps around the best."""

    def candidates(self, evidence: Evidence, rng: np.random.Generator) -> Array | None:
        """Points [draws, parameters] in random order; None if there is too little evidence."""
        ranked = evidence.highest_rung(LEAST)[:ELITE]
        if len(ranked) < 2:
            return None
        encoding = evidence.encoding
        elite = np.array([evidence.trials[number].point for _, number in ranked])
        size = encoding.parameters
        base = elite[np.minimum(rng.exponential(2, DRAWS).astype(int), len(elite) - 1)]
        one, two = (elite[rng.integers(len(elite), size=DRAWS)] for _ in range(2))
        changed = rng.random((DRAWS, size)) < CHANGED
        changed[np.arange(DRAWS), rng.integers(size, size=DRAWS)] = True
        steps = base + changed * (SCALE * (one - two) + JITTER * rng.normal(size=base.shape))
        fresh = rng.random(base.shape)
        steps = np.where((steps < 0) | (steps >= 1), fresh, steps)
        for at in encoding.unordered:  # options have no difference: take another good one's, now and then any
            option = np.where(rng.random(DRAWS) < 0.2, fresh[:, at], one[:, at])
            steps[:, at] = np.where(changed[:, at], option, base[:, at])
        return np.asarray(steps)
