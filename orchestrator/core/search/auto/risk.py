"""How likely a configuration is to fail or to diverge.

A logistic regression on features and their squares with a ridge penalty (Hastie, Tibshirani and Friedman 2009, section
4.4), by Newton's method: enough for a bound on one parameter, on a product (a sum of logarithms), or an interval.
"""

from __future__ import annotations

import numpy as np

from orchestrator.core.search.auto.encoding import Array
from orchestrator.core.search.auto.evidence import Evidence

RIDGE = 0.3
ITERATIONS = 8
NEWEST = 500  # trials that it is fitted to


class Risk:
    """Fitted to what is known; without a failure every risk is 0.

    Attributes:
        known: Whether a trial has failed or diverged.
    """

    def __init__(self, evidence: Evidence) -> None:
        known = list(evidence.trials.values())[-NEWEST:]
        broken = np.array([each.broken for each in known], dtype=float)
        self._weights: Array | None = None
        self.known = bool(broken.any())
        if not self.known:
            return
        design = _design(np.array([each.features for each in known]))
        penalty = np.full(design.shape[1], RIDGE)
        penalty[0] = 0.01
        weights = np.zeros(design.shape[1])
        for _ in range(ITERATIONS):
            chance = _logistic(design @ weights)
            slope = design.T @ (broken - chance) - penalty * weights
            curvature = (design.T * (chance * (1 - chance))) @ design + np.diag(penalty)
            weights = weights + np.linalg.solve(curvature, slope)
        self._weights = weights

    def of(self, features: Array) -> Array:
        """The chance to fail or diverge, [n], of features [n, features]."""
        if self._weights is None:
            return np.zeros(len(features))
        return _logistic(np.asarray(_design(features) @ self._weights))


def _design(features: Array) -> Array:
    centred = 4 * (features - 0.5)
    return np.asarray(np.c_[np.ones(len(features)), centred, centred**2 - 4 / 3])


def _logistic(values: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))))
