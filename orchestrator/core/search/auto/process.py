"""A Gaussian process over (configuration, step): what a configuration would reach if it were trained to the end.

Swersky et al. 2014, "Freeze-Thaw Bayesian Optimization", and Klein et al. 2017, "Fast Bayesian Optimization of Machine
Learning Hyperparameters on Large Datasets" (the product of a kernel over configurations and one over the budget), with
a Matern 5/2 kernel whose length scales are fitted by the marginal likelihood (Rasmussen and Williams 2006,
section 5.4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.core.search.auto.encoding import Array

NUGGET = 1e-6
LEVEL = 4.0  # variance of the constant and of the slope over the step, in units of the amplitude


class Process:
    """A fitted process. Inputs: features [n, features], levels [n] in [0, 1] (the logarithm of the step), targets [n].

    Args:
        groups: The length scale that each feature uses, [features].
    """

    def __init__(self, groups: NDArray[np.int_]) -> None:
        self._groups = groups
        self._count = int(groups.max()) + 1
        centre = np.log(0.5) + 0.5 * np.log(self._count)  # length scales grow with the dimension: Hvarfner et al. 2024
        self._mean = np.r_[np.full(self._count, centre), -0.7, 0.5, -3.0]
        self._deviation = np.r_[np.full(self._count, 1.0), 0.5, 1.5, 1.0]
        self.theta = self._mean.copy()

    def fit(self, features: Array, levels: Array, targets: Array, iterations: int = 40) -> None:
        """Set the hyperparameters to the most probable ones, starting from the prior's mean."""
        from scipy.optimize import minimize

        squares = [((features[:, None, c] - features[None, :, c]) ** 2) for c in range(features.shape[1])]
        gaps = np.zeros((self._count, len(levels), len(levels)))
        for column, group in zip(squares, self._groups, strict=True):
            gaps[group] += column
        apart = (levels[:, None] - levels) ** 2
        line = LEVEL * (1 + np.outer(levels, levels))

        def loss(theta: Array) -> tuple[float, Array]:
            return self._loss(theta, gaps, apart, line, targets)

        bounds = [(m - 4 * d, m + 4 * d) for m, d in zip(self._mean, self._deviation, strict=True)]
        best = minimize(loss, self._mean, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": iterations})
        self.theta = best.x

    def _loss(self, theta: Array, gaps: Array, apart: Array, line: Array, targets: Array) -> tuple[float, Array]:
        """The negative log posterior of the hyperparameters, the amplitude integrated out, and its gradient."""
        from scipy.linalg import cho_factor, cho_solve

        count, size = self._count, len(targets)
        weights = np.exp(-2 * theta[:count])
        distance = np.sqrt(5 * np.maximum(np.tensordot(weights, gaps, 1), 0))
        decay = np.exp(-distance)
        matern = (1 + distance + distance**2 / 3) * decay
        share = 1 / (1 + np.exp(-theta[-2]))
        scale = np.exp(-2 * theta[-3])
        steps = np.exp(-0.5 * apart * scale)
        both = share + (1 - share) * steps
        noise = np.exp(2 * theta[-1])
        kernel = matern * both + line
        kernel[np.diag_indices(size)] += noise + NUGGET
        off = theta - self._mean
        prior = 0.5 * (off**2 / self._deviation**2).sum()
        try:
            factor = cho_factor(kernel, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros_like(theta)
        inverse = cho_solve(factor, np.eye(size), check_finite=False)
        alpha = inverse @ targets
        amplitude = max(float(targets @ alpha) / size, 1e-9)
        value = 0.5 * size * np.log(amplitude) + np.log(np.diag(factor[0])).sum()
        outer = inverse - np.outer(alpha, alpha) / amplitude  # d value = 0.5 sum(outer * d kernel)
        slope = 5 / 3 * (1 + distance) * decay * both * outer
        gradient = np.empty_like(theta)
        gradient[:count] = 0.5 * weights * np.tensordot(gaps, slope, 2)
        gradient[-3] = 0.5 * (outer * matern * (1 - share) * steps * apart * scale).sum()
        gradient[-2] = 0.5 * share * (1 - share) * (outer * matern * (1 - steps)).sum()
        gradient[-1] = noise * np.trace(outer)
        return value + prior, gradient + off / self._deviation**2

    def given(self, features: Array, levels: Array, targets: Array) -> Posterior:
        """What the process expects, given these values."""
        from scipy.linalg import cho_factor, cho_solve

        kernel = self.kernel(features, levels, features, levels)
        kernel[np.diag_indices(len(levels))] += np.exp(2 * self.theta[-1]) + NUGGET
        factor, _ = cho_factor(kernel, lower=True, check_finite=False)
        weights = cho_solve((factor, True), targets, check_finite=False)
        return Posterior(
            process=self,
            features=features,
            levels=levels,
            targets=targets,
            factor=factor,
            weights=weights,
            amplitude=max(float(targets @ weights) / len(targets), 1e-9),
        )

    def kernel(self, a: Array, s: Array, b: Array, t: Array) -> Array:
        """The covariance, in units of the amplitude, of features a at levels s with features b at levels t: [n, m]."""
        weights = np.exp(-self.theta[: self._count])[self._groups]
        a, b = a * weights, b * weights
        squares = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T
        distance = np.sqrt(5 * np.maximum(squares, 0))
        share = 1 / (1 + np.exp(-self.theta[-2]))
        steps = np.exp(-0.5 * ((s[:, None] - t) / np.exp(self.theta[-3])) ** 2)
        matern = (1 + distance + distance**2 / 3) * np.exp(-distance)
        return np.asarray(matern * (share + (1 - share) * steps) + LEVEL * (1 + np.outer(s, t)))


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """A process given values: features [n, features], levels [n] and targets [n]."""

    process: Process
    features: Array
    levels: Array
    targets: Array
    factor: Array  # the lower Cholesky factor of their covariance
    weights: Array
    amplitude: float

    def predict(self, features: Array, levels: Array) -> tuple[Array, Array]:
        """Mean and standard deviation [m] of the noise-free target at features [m, features] and levels [m]."""
        from scipy.linalg import solve_triangular

        cross = self.process.kernel(features, levels, self.features, self.levels)
        half = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
        own = 1 + LEVEL * (1 + levels**2)
        variance = np.maximum(own - (half**2).sum(0), 1e-9)
        return cross @ self.weights, np.sqrt(self.amplitude * variance)

    def believing(self, features: Array) -> Posterior:
        """The posterior if configurations reached what is expected of them at the last step: features [m, features]."""
        ends = np.ones(len(features))
        mean, _ = self.predict(features, ends)
        return self.process.given(np.r_[self.features, features], np.r_[self.levels, ends], np.r_[self.targets, mean])
