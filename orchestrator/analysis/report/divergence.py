"""Where trials diverge: the parameters that tell them from the others."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.analysis.report.data import Axis, DivergenceMap, Point
from orchestrator.core.rows import State

FEW = 3
"""Of fewer diverged trials nothing is said."""


def divergence_map(axes: Sequence[Axis], points: Sequence[Point]) -> DivergenceMap | None:
    """The two numbers of the space that tell diverged trials from others best; None if there is nothing to tell.

    A parameter tells as well as a random diverged trial lies above a random other one: always or never is best, half
    of the time says nothing. Of equals, one on a logarithmic axis comes first.
    """
    judged = [point for point in points if point.state not in (State.PENDING, State.FAILED)]
    wild = [point for point in judged if point.state is State.DIVERGED]
    numbers = [axis for axis in axes if axis.scale is not None]
    if len(wild) < FEW or not numbers:
        return None
    telling = sorted(numbers, key=lambda axis: (-_separation(axis.name, judged), not _log(axis)))
    up = telling[1].name if len(telling) > 1 else None
    return DivergenceMap(across=telling[0].name, up=up)


def _log(axis: Axis) -> bool:
    return axis.scale is not None and axis.scale.log


def _values(name: str, points: Sequence[Point]) -> list[tuple[float, bool]]:
    """Value and whether it diverged, by value."""
    return sorted(
        (value, point.state is State.DIVERGED) for point in points if isinstance(value := point.cells.get(name), float)
    )


def _separation(name: str, points: Sequence[Point]) -> float:
    """How far the share of pairs in which the diverged trial lies above is from one half, by ranks (Mann-Whitney).

    It counts less where a condition leaves trials without a value.
    """
    pairs = _values(name, points)
    wild = sum(diverged for _, diverged in pairs)
    tame = len(pairs) - wild
    if wild < FEW or not tame:
        return 0.0
    ranks: dict[float, list[int]] = {}
    for rank, (value, _) in enumerate(pairs, 1):
        ranks.setdefault(value, []).append(rank)
    ranked = sum(sum(ranks[value]) / len(ranks[value]) for value, diverged in pairs if diverged)
    return abs((ranked - wild * (wild + 1) / 2) / (wild * tame) - 0.5) * len(pairs) / len(points)
