"""Random search: independent draws. Trial n's draw is a function of (seed, n) alone."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

from orchestrator.core.rows import Config
from orchestrator.core.search import MAX_REJECTIONS, Accept, Observation

if TYPE_CHECKING:
    from orchestrator.space.space import Space


_ENUMERABLE = 100_000  # cells looked through for what is left


class RandomSearch:
    """The method `random`, and what the adaptive methods fall back on."""

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._seed = seed

    def ask(self, number: int, accept: Accept) -> Config | None:
        """The first accepted draw; in a small finite space that is nearly used up, one of what is left."""
        generator = random.Random(f"{self._seed}/{number}")
        for _ in range(MAX_REJECTIONS):
            config = self._space.sample(generator)
            if accept(config):
                return config
        left = [cell for cell in itertools.islice(self._space.cells() or (), _ENUMERABLE) if accept(cell)]
        return generator.choice(left) if left else None

    def resume(self, number: int, config: Config) -> None:
        """Nothing to do: it is not accepted again."""

    def tell(self, told: Observation) -> None:
        """Nothing to learn."""

    def forget(self, number: int) -> None:
        """Nothing to forget."""
