"""The member that models densities: good configurations against the others, at the highest rung with enough of them.

Falkner et al. 2018, "BOHB: Robust and Efficient Hyperparameter Optimization at Scale", section 4.1, with a diagonal
kernel as in TPE (Bergstra et al. 2011). A draw from the density of the good ones is proposed where the ratio of both
densities is largest.
"""

from __future__ import annotations

import numpy as np

from orchestrator.core.search.auto.encoding import Array, Encoding
from orchestrator.core.search.auto.evidence import Evidence

GOOD = 0.15
DRAWS = 64
WIDER = 3.0  # draws come from a kernel this much wider, so that they leave the good ones
MOST = 300  # others that are compared with


class Density:
    """Proposes by the ratio of two densities."""

    def candidates(self, evidence: Evidence, rng: np.random.Generator) -> Array | None:
        """Points [draws, parameters], the most promising first; None if there is too little evidence."""
        encoding = evidence.encoding
        size = encoding.parameters
        enough = size + 1
        ranked = evidence.highest_rung(2 * enough)
        if len(ranked) < 2 * enough:
            return None
        split = max(enough, int(GOOD * len(ranked)))
        others = ranked[split:]
        if len(others) > MOST:
            others = [others[at] for at in rng.choice(len(others), MOST, replace=False)]
        good, rest = (
            np.array([evidence.trials[number].point for _, number in part]) for part in (ranked[:split], others)
        )
        widths = [_widths(part, size) for part in (good, rest)]
        draws = good[rng.integers(len(good), size=DRAWS)]
        draws = draws + WIDER * widths[0] * rng.normal(size=draws.shape)
        fresh = rng.random(draws.shape)
        draws = np.where((draws < 0) | (draws >= 1), fresh, draws)
        for at in encoding.unordered:  # the kernel of a choice: mostly the same option, else any
            kept = good[rng.integers(len(good), size=DRAWS), at]
            draws[:, at] = np.where(rng.random(DRAWS) < 0.75, kept, fresh[:, at])
        ratio = _log_density(draws, good, widths[0], encoding) - _log_density(draws, rest, widths[1], encoding)
        return draws[np.argsort(-ratio)]


def _widths(points: Array, size: int) -> Array:
    return np.asarray(np.maximum(points.std(0), 0.02) * len(points) ** (-1 / (4 + size)))


def _log_density(at: Array, points: Array, widths: Array, encoding: Encoding) -> Array:
    """The logarithm of the kernel density at ``at`` [n, parameters], [n]."""
    ordered = np.array([not each for each in encoding.options])
    gaps = (at[:, None] - points)[:, :, ordered] / widths[ordered]
    logs = -0.5 * (gaps**2).sum(2) - np.log(widths[ordered]).sum()
    for column in encoding.unordered:
        count = encoding.options[column]
        same = encoding.option(column, at[:, column])[:, None] == encoding.option(column, points[:, column])[None, :]
        other = min(0.25, 1 / len(points) ** 0.5) / (count - 1)
        logs = logs + np.where(same, np.log(1 - other * (count - 1)), np.log(other))
    top = logs.max(1, keepdims=True)
    return np.asarray(top[:, 0] + np.log(np.exp(logs - top).mean(1)))
