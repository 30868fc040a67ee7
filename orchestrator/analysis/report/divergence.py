"""Finds the parameters that best separate diverged trials from the others."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.analysis.report.data import Axis, DivergenceMap, Point
from orchestrator.core.rows import State

FEW = 3
"""The fewest diverged trials from which there is a map."""


def divergence_map(axes: Sequence[Axis], points: Sequence[Point]) -> DivergenceMap | None:
    """The two numeric parameters that best separate diverged trials; None if there are too few of either.

    A parameter is ranked by how often a random diverged trial has a higher value than a random other one: always or
    never is best, half of the time is useless. Among equals, parameters on a log scale come first.
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
    """Pairs of a value and whether the trial diverged, sorted."""
    return sorted(
        (value, point.state is State.DIVERGED) for point in points if isinstance(value := point.cells.get(name), float)
    )


def _separation(name: str, points: Sequence[Point]) -> float:
    """The distance from one half of the share of pairs in which the diverged trial has the higher value (Mann-Whitney).

    Weighted by the share of trials that have the parameter.
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
