"""Sobol': a scrambled low-discrepancy sequence, which covers the space more evenly than random draws.

Sobol' 1967, "On the distribution of points in a cube and the approximate evaluation of integrals", as in
``scipy.stats.qmc.Sobol``: direction numbers by Joe and Kuo 2008; a linear matrix scramble with a digital shift, by
Matousek 1998. Points that violate a constraint are skipped: trial n gets the n-th feasible point, whatever the timing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.core.rows import Config
from orchestrator.core.search import MAX_REJECTIONS
from orchestrator.core.search.sequence import Walk

if TYPE_CHECKING:
    from orchestrator.space.space import Space

_BLOCK = 64  # points drawn at once; a power of two keeps the sequence balanced


def sobol(space: Space, seed: int) -> Walk:
    """The scrambled Sobol sequence of (space, seed)."""
    return Walk(lambda: _points(space, seed), patience=MAX_REJECTIONS)


def _points(space: Space, seed: int) -> Iterator[Config]:
    from scipy.stats.qmc import Sobol

    engine = Sobol(d=len(space.parameters), scramble=True, rng=seed)
    while True:
        for point in engine.random(_BLOCK).tolist():
            yield space.from_unit(point)
