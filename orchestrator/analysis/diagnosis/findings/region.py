"""Where in the space something happens: the split of one parameter that best separates affected trials from the others.

A decision stump (Holte 1993, Very simple classification rules perform well on most commonly used datasets).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.core.rows import Config
from orchestrator.space.distribution import Distribution

FEWEST = 3
"""The fewest affected trials."""

PURE = 0.9
"""The lowest share of affected trials inside the region, and of the region among affected trials."""

SELDOM = 0.01
"""The highest probability of so clear a split by chance, corrected for the number of parameters."""


@dataclass(frozen=True, kw_only=True)
class Region:
    """A part of the space, and the affected trials in it."""

    where: str  # "batch_size ≥ 512"
    parameter: str
    inside: int  # trials in the region
    hits: int  # affected trials in the region
    all_hits: int  # affected trials anywhere

    @property
    def everywhere(self) -> bool:
        """Whether all trials in the region are affected, and no others."""
        return self.hits == self.inside == self.all_hits


def region(space: Mapping[str, Distribution], hit: Sequence[Config], spared: Sequence[Config]) -> Region | None:
    """The region that the affected trials (``hit``) share; None if no single parameter explains them."""
    if len(hit) < FEWEST or not spared:
        return None
    found = [
        Region(where=where, parameter=name, inside=inside, hits=hits, all_hits=len(hit))
        for name, distribution in space.items()
        for where, inside, hits in _splits(name, distribution, hit, spared)
        if hits >= PURE * inside and hits >= PURE * len(hit)
    ]
    best = max(found, key=lambda each: each.hits / each.inside + each.hits / each.all_hits, default=None)
    if best is None:
        return None
    chance = chance_of_hits(best.inside, best.hits, len(hit), len(hit) + len(spared))
    return best if chance * len(space) <= SELDOM else None


def _splits(
    name: str, distribution: Distribution, hit: Sequence[Config], spared: Sequence[Config]
) -> Iterator[tuple[str, int, int]]:
    """Yield (region in words, trials in the region, affected trials in the region)."""
    rows = [(config[name], True) for config in hit if name in config]
    rows += [(config[name], False) for config in spared if name in config]
    if distribution.kind in ("int", "float") and distribution.extent is not None:
        yield from _cuts(name, rows, whole=distribution.kind == "int" or distribution.values() is not None)
    else:
        for value in {repr(value): value for value, _ in rows}.values():
            taken = [happened for each, happened in rows if each == value]
            yield f"{name} = {value}", len(taken), sum(taken)


def _cuts(name: str, rows: Sequence[tuple[Any, bool]], *, whole: bool) -> Iterator[tuple[str, int, int]]:
    ordered = sorted(rows, key=lambda row: row[0])
    everywhere = sum(happened for _, happened in ordered)
    below = 0
    for index, ((left, happened), (right, _)) in enumerate(itertools.pairwise(ordered), 1):
        below += happened
        if left == right:
            continue
        low, high = (f"{left}", f"{right}") if whole else (between(left, right),) * 2
        yield f"{name} ≤ {low}", index, below
        yield f"{name} ≥ {high}", len(ordered) - index, everywhere - below


def between(left: float, right: float) -> str:
    """The shortest number between two, so that a bound is easy to read."""
    for digits in range(1, 17):
        for number in (left, right, (left + right) / 2):
            text = f"{number:.{digits}g}"
            if left < float(text) < right:
                return text
    return f"{right:g}"


def chance_of_hits(inside: int, hits: int, all_hits: int, everyone: int) -> float:
    """The probability that a random part of the trials has as many hits or more (hypergeometric)."""
    most = min(inside, all_hits)
    ways = sum(math.comb(all_hits, k) * math.comb(everyone - all_hits, inside - k) for k in range(hits, most + 1))
    return ways / math.comb(everyone, inside)
