"""Random search: independent draws, trial n's a function of (seed, n) alone.

Bergstra and Bengio 2012, "Random Search for Hyper-Parameter Optimization".
"""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

from orchestrator.core.rows import Config
from orchestrator.core.search import MAX_REJECTIONS, Accept, Observation

if TYPE_CHECKING:
    from orchestrator.space.space import Space


_ENUMERABLE = 100_000  # cells searched for untried ones


class RandomSearch:
    """The method `random`, also the fallback of adaptive methods."""

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._seed = seed

    def ask(self, number: int, accept: Accept) -> Config | None:
        """The first accepted draw; if all draws are rejected in a finite space, one of the remaining cells."""
        generator = random.Random(f"{self._seed}/{number}")
        for _ in range(MAX_REJECTIONS):
            config = self._space.sample(generator)
            if accept(config):
                return config
        left = [cell for cell in itertools.islice(self._space.cells() or (), _ENUMERABLE) if accept(cell)]
        return generator.choice(left) if left else None

    def resume(self, number: int, config: Config) -> None:
        """Does nothing: the configuration is not accepted again."""

    def tell(self, observation: Observation) -> None:
        """Does nothing: results do not matter."""

    def forget(self, number: int) -> None:
        """Does nothing."""
