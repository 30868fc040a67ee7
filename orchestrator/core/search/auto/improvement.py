"""The member that models curves: it proposes where a process expects the largest improvement at the last step.

Expected improvement: Jones et al. 1998, per cost: Snoek et al. 2012, section 3.2, with the square root of the cost, so
that slow configurations are not ruled out. Trials without a value yet are believed to reach what the process expects of
them (the kriging believer, Ginsbourger et al. 2010, section 4.1), so that parallel proposals differ.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np

from orchestrator.core.search.auto.cost import Cost
from orchestrator.core.search.auto.encoding import Array, Encoding, Indices
from orchestrator.core.search.auto.evidence import Evidence
from orchestrator.core.search.auto.process import Posterior, Process

LEAST = 6
"""Trials with a value from which on the process is used."""

KEPT = 220  # values that predictions are based on
FITTED = 120  # values that hyperparameters are fitted to
GROWTH = 1.15  # they are fitted again with this many times the values
BELIEVED = 150  # trials without a value that are believed
STRETCH = 0.1  # of the span between good and middling losses: smaller differences do not matter
WORST = 100.0  # of the same spans: what is worse counts as this bad
COST_POWER = 0.5

ANYWHERE = 150  # candidates in the whole space
BEST, AROUND = 6, 25  # candidates near the best: so many near each
CLIMBERS, STEPS = 3, 20  # the best candidates are improved on: so many steps each, of each width
WIDTHS = (0.05, 0.02)


class Improvement:
    """Proposes by expected improvement.

    Args:
        seed: The seed of the sweep.
        max_step: The last step of a full training; None: the largest that a trial has reached.
    """

    def __init__(self, seed: int, max_step: int | None) -> None:
        self._seed = seed
        self._max_step = max_step
        self._fit: tuple[int, Process] | None = None  # to how many values
        self._posterior: tuple[int, Posterior] | None = None  # given how many values

    def candidates(self, evidence: Evidence, rng: np.random.Generator) -> Array | None:
        """Points [n, parameters], the most promising first; None if there is too little evidence."""
        if len(evidence.valued) < LEAST:
            return None
        posterior = self._given(evidence)
        best = float(posterior.targets.max())
        running = list(evidence.running.values())[-BELIEVED:]
        if running:
            posterior = posterior.believing(evidence.encoding.features(np.array(running)))
        cost = Cost(evidence)

        def gain(points: Array) -> Array:
            features = evidence.encoding.features(points)
            return _improvement(posterior, best, features) / cost.of(features) ** COST_POWER

        return _climb(gain, evidence, rng)

    def _last(self, evidence: Evidence) -> int:
        return max(self._max_step or evidence.longest, 2)

    def _given(self, evidence: Evidence) -> Posterior:
        """The posterior given what is known, without what is believed."""
        count = len(evidence.measured)
        if self._posterior is None or self._posterior[0] != count:
            losses = np.array([row.loss for row in evidence.measured])
            levels = np.log([row.step for row in evidence.measured]) / np.log(self._last(evidence))
            targets = _stretched(losses)
            process = self._fitted(evidence, levels, targets)
            kept = _spread(losses, KEPT)
            features = _features(evidence, kept)
            self._posterior = count, process.given(features, levels[kept], targets[kept])
        return self._posterior[1]

    def _fitted(self, evidence: Evidence, levels: Array, targets: Array) -> Process:
        """A process fitted to the first values. How many of them depends on their number alone, so a resume agrees."""
        count = LEAST
        while (more := int(count * GROWTH) + 1) <= len(targets):
            count = more
        if self._fit is None or self._fit[0] != count:
            picked = _mixed(targets[:count], FITTED, np.random.default_rng([self._seed, count]))
            process = Process(evidence.encoding.groups)
            process.fit(_features(evidence, picked), levels[picked], _standard(targets[:count])[picked])
            self._fit = count, process
        return self._fit[1]


def _features(evidence: Evidence, picked: Indices) -> Array:
    return np.array([evidence.trials[evidence.measured[at].trial].features for at in picked])


def _improvement(posterior: Posterior, best: float, features: Array) -> Array:
    """The expected improvement on ``best`` at the last step, [n]."""
    from scipy.special import ndtr

    mean, deviation = posterior.predict(features, np.ones(len(features)))
    u = (mean - best) / deviation
    return np.asarray(deviation * (u * ndtr(u) + np.exp(-0.5 * u * u) / np.sqrt(2 * np.pi)))


def _climb(gain: Callable[[Array], Array], evidence: Evidence, rng: np.random.Generator) -> Array:
    """Candidates [n, parameters] by their gain: anywhere, near the best, and steps from the most promising of both."""
    encoding = evidence.encoding
    best = heapq.nsmallest(BEST, evidence.valued, key=lambda known: known.loss)
    near = np.repeat(np.array([known.point for known in best]), AROUND, 0)
    width = 10 ** rng.uniform(-2, -0.5, (len(near), 1))
    near = near + width * rng.normal(size=near.shape) * (rng.random(near.shape) < 0.5)
    _change_options(near, encoding, rng)
    points = _inside(np.r_[rng.random((ANYWHERE, encoding.parameters)), near])
    values = gain(points)
    for step in WIDTHS:
        start = np.repeat(points[np.argsort(-values)[:CLIMBERS]], STEPS, 0)
        more = start + step * rng.normal(size=start.shape)
        more[:, encoding.unordered] = start[:, encoding.unordered]
        more = _inside(more)
        points, values = np.r_[points, more], np.r_[values, gain(more)]
    return points[np.argsort(-values, kind="stable")]


def _change_options(points: Array, encoding: Encoding, rng: np.random.Generator) -> None:
    for at in encoding.unordered:
        points[:, at] = np.where(rng.random(len(points)) < 0.15, rng.random(len(points)), points[:, at])


def _inside(points: Array) -> Array:
    return np.clip(points, 0, 1 - 1e-9)


def _stretched(losses: Array) -> Array:
    """Losses as targets to be maximised: differences among the best are stretched, bad ones compressed."""
    gaps = losses - losses.min()
    span = max(float(np.subtract(*np.quantile(losses, [0.6, 0.1]))), 1e-12)
    return _standard(-np.log(np.minimum(gaps / span, WORST) + STRETCH))


def _standard(values: Array) -> Array:
    return np.asarray((values - values.mean()) / (values.std() + 1e-9))


def _spread(losses: Array, most: int) -> Indices:
    """Indices of the best, and of others evenly over the ranks."""
    order = np.argsort(losses, kind="stable")
    if len(order) <= most:
        return np.asarray(np.sort(order))
    half = most // 2
    rest = order[half:]
    return np.asarray(np.sort(np.r_[order[:half], rest[:: max(1, len(rest) // half)]]))


def _mixed(targets: Array, most: int, rng: np.random.Generator) -> Indices:
    """Indices of the best, and of others at random."""
    if len(targets) <= most:
        return np.arange(len(targets))
    order = np.argsort(-targets, kind="stable")
    half = most // 2
    return np.asarray(np.r_[order[:half], rng.choice(order[half:], most - half, replace=False)])
