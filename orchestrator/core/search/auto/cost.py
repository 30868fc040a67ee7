"""How long a step takes, by configuration."""

from __future__ import annotations

import numpy as np

from orchestrator.core.search.auto.encoding import Array
from orchestrator.core.search.auto.evidence import Evidence

LEAST = 5
NEWEST = 1000
RIDGE = 0.1


class Cost:
    """A ridge regression of the logarithm of the seconds a step on features and their squares.

    While too few are known, a step of any configuration counts as 1.
    """

    def __init__(self, evidence: Evidence) -> None:
        rows = [row for row in evidence.measured[-NEWEST:] if row.seconds > 0]
        self._weights: Array | None = None
        if len(rows) >= LEAST:
            design = _design(np.array([evidence.trials[row.trial].features for row in rows]))
            logs = np.log([row.seconds / row.step for row in rows])
            penalised = design.T @ design + RIDGE * np.eye(design.shape[1])
            self._weights = np.asarray(np.linalg.solve(penalised, design.T @ logs), dtype=float)

    def of(self, features: Array) -> Array:
        """Seconds a step, [n], of features [n, features]."""
        if self._weights is None:
            return np.ones(len(features))
        return np.asarray(np.exp(_design(features) @ self._weights))


def _design(features: Array) -> Array:
    return np.asarray(np.c_[np.ones(len(features)), features, features**2])
