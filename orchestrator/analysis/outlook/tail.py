"""By how much the next best result beats the best one: the tail of the distribution of results beyond the best.

Beyond a good result the distribution is close to a generalised Pareto (Pickands 1975, "Statistical inference using
extreme order statistics"), whose shape says whether improvements have an end. It is fitted to the best results, each
shape and scale weighed by its likelihood (Davison and Smith 1990, "Models for exceedances over high thresholds").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SHAPE = (-0.3, 0.5)
"""Mean and standard deviation of the shape before any result. Below 0, improvements have an end, as on the floor of a
quadratic valley; it is 0 for exponential tails."""

SHARE, FEWEST, MOST = 0.1, 4, 40
"""The tail is fitted to this share of the results, to so many at least and at most."""

SHAPES, SCALES = 17, 21
"""Shapes and scales that are weighed against each other."""


class Tail:
    """What the best results say of results beyond the best.

    Attributes:
        shape: Of the generalised Pareto distribution, of shape (s,).
        scale: Its scale beyond the best result, of shape (s,), in the units of the objective.
        weights: The posterior probabilities of these pairs, of shape (s,).
    """

    def __init__(self, losses: np.ndarray) -> None:
        """Fit the tail.

        Args:
            losses: Finite results, lower is better, of shape (n,), with n of at least 3.
        """
        import numpy as np

        count = min(len(losses), max(FEWEST, min(MOST, round(SHARE * len(losses)))))
        ordered = np.sort(losses)[:count]
        excess = ordered[-1] - ordered[:-1]  # over the worst of the best
        reach = excess.max()
        typical = excess.mean() or np.finfo(float).tiny
        mean, deviation = SHAPE
        shape, scale = np.meshgrid(
            np.linspace(mean - 2 * deviation, mean + 2 * deviation, SHAPES),
            typical * np.geomspace(0.2, 5, SCALES),
        )
        shape, scale = shape.ravel(), scale.ravel()
        beyond = scale + shape * reach
        kept = beyond > 0
        shape, scale, self.scale = shape[kept], scale[kept], beyond[kept]
        self.shape = shape
        log_likelihood = _log_density(excess[None, :], shape[:, None], scale[:, None]).sum(axis=1)
        posterior = log_likelihood - ((shape - mean) / deviation) ** 2 / 2
        self.weights = np.exp(posterior - posterior.max())
        self.weights /= self.weights.sum()

    def gains(self, count: int) -> np.ndarray:
        """Gains, increasing, at which the distribution is worth evaluating."""
        import numpy as np

        typical = float(self.weights @ self.scale)
        found: np.ndarray = typical * np.geomspace(1e-4, 1e2, count)
        return found

    def survival(self, gains: np.ndarray) -> np.ndarray:
        """The probability that a result beyond the best is beyond it by more than each gain: (gains, s)."""
        import numpy as np

        found: np.ndarray = np.exp(_log_survival(gains[:, None] / self.scale, self.shape))
        return found


def _log_survival(standard: np.ndarray, shape: np.ndarray) -> np.ndarray:
    import numpy as np

    flat = np.abs(shape) < 1e-6
    safe = np.where(flat, 1.0, shape)
    with np.errstate(divide="ignore"):
        curved = -np.log(np.maximum(0.0, 1 + safe * standard)) / safe
    found: np.ndarray = np.where(flat, -standard, curved)
    return found


def _log_density(excess: np.ndarray, shape: np.ndarray, scale: np.ndarray) -> np.ndarray:
    import numpy as np

    standard = excess / scale
    found: np.ndarray = (1 + shape) * _log_survival(standard, shape) - np.log(scale)
    return found
