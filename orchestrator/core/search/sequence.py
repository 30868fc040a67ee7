"""Methods that walk through a fixed sequence of configurations: grid, list and sobol.

They learn nothing from results. A restart starts the sequence from the beginning: configurations already tried are not
accepted again, so the walk continues where it was.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from orchestrator.core.rows import Config
from orchestrator.core.search import Accept, Observation
from orchestrator.space.values import canonical_json

if TYPE_CHECKING:
    from orchestrator.space.space import Space


class Walk:
    """Proposes the accepted configurations of a sequence in order, once or in several rounds.

    Args:
        configs: Returns the sequence, which may be endless.
        repeats: The number of rounds.
        patience: Configurations rejected in a row after which the sequence counts as used up, without those that an
            earlier session has tried; None if the sequence is finite.
    """

    def __init__(
        self, configs: Callable[[], Iterable[Config]], *, repeats: int = 1, patience: int | None = None
    ) -> None:
        self._configs: Iterator[tuple[Config, int]] = (
            (config, times) for times in range(1, repeats + 1) for config in configs()
        )
        self._patience = patience
        self._passed: set[str] = set()  # configurations that were tried before the walk came to them

    def ask(self, number: int, accept: Accept) -> Config | None:
        """The next accepted configuration; in round n, one that was tried less than n times."""
        rejected = 0
        for config, times in self._configs:
            if accept(config, times):
                return config
            if self._patience is None:
                continue
            rejected = 0 if self._passes_trial(config, accept) else rejected + 1
            if rejected > self._patience:
                return None
        return None

    def _passes_trial(self, config: Config, accept: Accept) -> bool:
        """Whether a rejected configuration is that of a trial which the walk has not passed yet."""
        key = canonical_json(config)
        if key in self._passed or not accept(config, sys.maxsize):
            return False
        self._passed.add(key)
        return True

    def resume(self, number: int, config: Config) -> None:
        """Does nothing: the configuration is not accepted again."""

    def tell(self, observation: Observation) -> None:
        """Does nothing: results do not matter."""

    def forget(self, number: int) -> None:
        """Does nothing."""


def grid(space: Space, repeats: int = 1) -> Walk:
    """Every cell of a finite space, the last parameter varying fastest; with ``repeats``, in several rounds."""
    if space.cells() is None:
        raise ValueError("a grid needs a space in which every parameter has finitely many values")
    return Walk(lambda: space.cells() or (), repeats=repeats)


def listed(configs: Sequence[Config], repeats: int = 1) -> Walk:
    """The configurations of the spec, in order; with ``repeats``, in several rounds."""
    return Walk(lambda: configs, repeats=repeats)
