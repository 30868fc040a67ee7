"""The model of BOHB: densities of good and of bad configurations (Falkner et al. 2018, section 3.1).

A fifth of the proposals is random. The others maximise the ratio of the two densities among draws around good ones,
fitted at the highest rung that has enough values. Choices are drawn and weighed by the kernel of Aitchison and Aitken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from orchestrator.core.rows import Config
from orchestrator.core.search import Accept, Observation
from orchestrator.core.search.random import RandomSearch
from orchestrator.space.choices import Choice

if TYPE_CHECKING:
    from orchestrator.space.space import Space

RANDOM_SHARE = 0.2
GOOD_SHARE = 0.15
DRAWS = 64
WIDEN = 3.0
"""Draws are wider than the density's kernels by this factor."""

LEAST_WIDTH = 0.02
PATIENCE = 20
"""Proposals that are not accepted, until a random one is made."""

INACTIVE = 0.5
"""The coordinate of a parameter that a configuration does not have."""


class Kde:
    """The search. Points are in the unit cube, one coordinate a parameter; for choices, the option's number."""

    def __init__(self, space: Space, seed: int, mode: str) -> None:
        self._space = space
        self._seed = seed
        self._sign = 1.0 if mode == "min" else -1.0
        self._random = RandomSearch(space, seed)
        self._options = np.array(
            [
                len(distribution.options) if isinstance(distribution, Choice) and not distribution.ordered else 0
                for distribution in space.parameters.values()
            ]
        )
        self._rungs: dict[int, list[tuple[float, np.ndarray]]] = {}

    def ask(self, number: int, accept: Accept) -> Config | None:
        """The most promising of the draws, or a random configuration."""
        rng = np.random.default_rng([self._seed, number])
        enough = [step for step, seen in self._rungs.items() if len(seen) >= 2 * (len(self._options) + 1)]
        if not enough or rng.random() < RANDOM_SHARE:
            return self._random.ask(number, accept)
        seen = sorted(self._rungs[max(enough)], key=lambda each: each[0])
        count = max(len(self._options) + 1, int(GOOD_SHARE * len(seen)))
        points = np.array([point for _, point in seen])
        good, bad = points[:count], points[count:]
        for _ in range(PATIENCE):
            config = self._space.from_unit(self._coordinates(self._best_draw(good, bad, rng)))
            if accept(config):
                return config
        return self._random.ask(number, accept)

    def _best_draw(self, good: np.ndarray, bad: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        widths, widths_bad = _widths(good), _widths(bad)
        draws = good[rng.integers(len(good), size=DRAWS)]
        moved = draws + WIDEN * widths * rng.normal(size=draws.shape)
        moved = np.where((moved < 0) | (moved > 1), rng.random(draws.shape), moved)
        other = np.floor(rng.random(draws.shape) * np.maximum(1, self._options))
        swapped = np.where(rng.random(draws.shape) < np.minimum(1.0, WIDEN * widths), other, draws)
        draws = np.where(self._options > 0, swapped, moved)
        ratio = self._log_density(draws, good, widths) - self._log_density(draws, bad, widths_bad)
        best: np.ndarray = draws[np.argmax(ratio)]
        return best

    def _log_density(self, at: np.ndarray, points: np.ndarray, widths: np.ndarray) -> np.ndarray:
        away = at[:, None, :] - points[None, :, :]
        smooth = -0.5 * (away / widths) ** 2 - np.log(widths)
        flip = np.minimum(widths, 0.5)
        same = np.where(away == 0, np.log(1 - flip), np.log(flip / np.maximum(1, self._options - 1)))
        kernels = np.where(self._options > 0, same, smooth).sum(axis=2)
        top = kernels.max(axis=1, keepdims=True)
        logs: np.ndarray = top[:, 0] + np.log(np.exp(kernels - top).mean(axis=1))
        return logs

    def _coordinates(self, point: np.ndarray) -> list[float]:
        units = np.where(self._options > 0, (point + 0.5) / np.maximum(1, self._options), point)
        return [float(unit) for unit in units]

    def _point(self, config: Config) -> np.ndarray:
        units = [
            distribution.to_unit(config[name]) if name in config else INACTIVE
            for name, distribution in self._space.parameters.items()
        ]
        point = np.array(units)
        return np.where(self._options > 0, np.floor(point * self._options), point)

    def resume(self, number: int, config: Config) -> None:
        """Running trials are not modelled."""

    def tell(self, observation: Observation) -> None:
        """Learn a value at a rung or at the end."""
        if observation.value is not None and observation.step is not None:
            entry: tuple[float, Any] = (self._sign * observation.value, self._point(observation.config))
            self._rungs.setdefault(observation.step, []).append(entry)

    def forget(self, number: int) -> None:
        """Nothing was kept."""


def _widths(points: np.ndarray) -> np.ndarray:
    """Scott's rule, with the spread of a choice bounded like that of a range."""
    spread = np.clip(points.std(axis=0), LEAST_WIDTH, 0.5)
    widths: np.ndarray = spread * len(points) ** (-1 / (4 + points.shape[1]))
    return widths
