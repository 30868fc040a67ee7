"""Methods that walk through a fixed sequence of configurations: grid, list and sobol.

They learn nothing from results. A restart needs no memory either: configurations already tried are not accepted
again, so the walk comes to where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from orchestrator.core.rows import Config
from orchestrator.core.search import Accept, Observation

if TYPE_CHECKING:
    from orchestrator.space.space import Space


class Walk:
    """Hands out the accepted configurations of a sequence in their order, once or in several rounds.

    Args:
        configs: Makes the sequence, which may be endless.
        repeats: How many rounds there are.
        patience: How many in a row may be rejected before it counts as used up; None for a finite sequence.
    """

    def __init__(
        self, configs: Callable[[], Iterable[Config]], *, repeats: int = 1, patience: int | None = None
    ) -> None:
        self._configs: Iterator[tuple[Config, int]] = (
            (config, times) for times in range(1, repeats + 1) for config in configs()
        )
        self._patience = patience

    def ask(self, number: int, accept: Accept) -> Config | None:
        """The next accepted configuration. A restart counts how often each was tried, and so comes to its round."""
        for rejected, (config, times) in enumerate(self._configs):
            if accept(config, times):
                return config
            if rejected == self._patience:
                return None
        return None

    def resume(self, number: int, config: Config) -> None:
        """Nothing to do: it is not accepted again."""

    def tell(self, told: Observation) -> None:
        """Nothing to learn."""

    def forget(self, number: int) -> None:
        """Nothing to forget."""


def grid(space: Space, repeats: int = 1) -> Walk:
    """Every cell of a finite space, the last parameter varying fastest; all of them once, then all once more."""
    if space.cells() is None:
        raise ValueError("a grid needs a space in which every parameter has finitely many values")
    return Walk(lambda: space.cells() or (), repeats=repeats)


def listed(configs: Sequence[Config], repeats: int = 1) -> Walk:
    """The configurations that the user wrote, in that order; all of them once, then all once more."""
    return Walk(lambda: configs, repeats=repeats)
