"""Search spaces that are too narrow, because the best trials lie at a bound, or too large for the trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.analysis.diagnosis.findings.region import chance_of_hits
from orchestrator.analysis.summary.results import SweepResults
from orchestrator.core.plan import TRIALS_PER_DIMENSION
from orchestrator.space.choices import Choice
from orchestrator.space.distribution import Distribution, Numeric

BEST = 5
"""The number of best trials considered; at least a twentieth of all trials."""

EDGE = 0.1
"""The outermost share of a range, on its own scale, that counts as the bound; for few values, the outermost one."""

SELDOM = 0.001
"""The highest probability that this many of the best lie at the bound by chance: binomial, or hypergeometric among the
trials."""

OUTER = 0.25
"""The share of the trials, those nearest to a bound, among which the best lie if the optimum is at or beyond it. Where
the search does not learn, too few trials lie in the outermost EDGE of a range to tell."""

OUTERMOST = 0.1
"""The share of the trials, those nearest to a bound, of which the best trial is one then; at least two."""

FEW = 10
"""Parameters with at most this many values are judged value by value."""


Side = Literal["low", "high"]
SIDES: tuple[Side, Side] = ("low", "high")


@dataclass(frozen=True, kw_only=True)
class AtBound:
    """A parameter whose best values lie at a bound."""

    parameter: str
    side: Side
    bound: float
    where: Literal["at", "near"]  # the bound; near: nearer than most trials
    near: int  # best trials that lie there
    best: int  # best trials considered
    wider: tuple[float, float] | None  # a range that extends beyond the bound; None if there is none to propose


def at_bounds(results: SweepResults) -> list[AtBound]:
    """The parameters whose best values lie at a bound, with a wider range for each."""
    ranked = results.ranked()
    count = max(BEST, len(ranked) // 20)
    if results.method == "list" or len(ranked) < 4 * count:
        return []
    found = []
    for name, distribution in results.space.items():
        tried = [each.config[name] for each in ranked if name in each.config]
        best = [each.config[name] for each in ranked[:count] if name in each.config]
        if len(best) < BEST or best[0] != ranked[0].config.get(name):
            continue
        found += [each for side in SIDES if (each := _at(name, distribution, best, tried, side)) is not None]
    return found


def bounds(results: SweepResults) -> list[Finding]:
    """One finding per parameter whose best values lie at a bound."""
    return [_finding(each) for each in at_bounds(results)]


def budget(results: SweepResults) -> list[Finding]:
    """A finding if there are fewer than TRIALS_PER_DIMENSION trials per searched parameter, as in `sweep plan`."""
    trials, dimensions = max(len(results.trials), results.planned or 0), len(results.space)
    if results.method in ("grid", "list", "") or trials >= TRIALS_PER_DIMENSION * dimensions:
        return []
    return [
        Finding(
            subject="budget",
            sentence=f"{trials} trials are too few for {dimensions} searched parameters",
            advice=f"fix all but {max(1, trials // TRIALS_PER_DIMENSION)} of them, or run at least"
            f" {TRIALS_PER_DIMENSION * dimensions} trials",
            numbers={"trials": trials, "parameters": dimensions},
            urgent=False,  # `sweep plan` has warned about it
        )
    ]


def _finding(each: AtBound) -> Finding:
    where = f"{each.parameter} {each.where} its {'lower' if each.side == 'low' else 'upper'} bound, {each.bound:g}"
    advice = ""
    if each.wider is not None:
        advice = f"search {each.parameter} in [{each.wider[0]:g}, {each.wider[1]:g}]"
    numbers = {"parameter": each.parameter, "side": each.side, "near": each.near, "of": each.best}
    return Finding(
        subject="bound",
        sentence=f"{each.near} of the {each.best} best trials have {where}",
        advice=advice,
        numbers=numbers | {"wider": each.wider},
    )


def _at(
    name: str, distribution: Distribution, best: Sequence[float], tried: Sequence[float], side: Side
) -> AtBound | None:
    values, numeric = distribution.values(), distribution.numeric
    if isinstance(distribution, Choice) and not (distribution.ordered and distribution.extent):
        return None
    where: Literal["at", "near"] = "at"
    if values is not None and 1 < len(values) <= FEW and all(isinstance(value, int | float) for value in values):
        bound = min(values) if side == "low" else max(values)
        near = _seldom_at([value == bound for value in best], 1 / len(values))
    elif numeric is not None:
        bound = numeric.low if side == "low" else numeric.high

        def away(value: float) -> float:
            return abs(_place(numeric, value) - (side == "high"))

        near = _seldom_at([away(value) <= EDGE for value in best], EDGE)
        if not near:
            where, near = "near", _seldom_near(list(map(away, best)), sorted(map(away, tried)))
    else:
        return None
    if not near:
        return None
    if side == "low" and bound in (0, 1) and (numeric is None or numeric.integer or not numeric.log):
        return None  # neither a count nor a fraction can go lower
    wider = None if numeric is None else widened(numeric, side)
    return AtBound(parameter=name, side=side, bound=bound, where=where, near=near, best=len(best), wider=wider)


def _seldom_at(there: Sequence[bool], share: float) -> int:
    """How many of the best trials lie at a bound; 0 if the first of them does not, or so many would by chance."""
    near = sum(there)
    return near if there[0] and _by_chance(near, len(there), share) <= SELDOM else 0


def _seldom_near(best: Sequence[float], tried: Sequence[float]) -> int:
    """How many of the best trials are among the OUTER ones nearest to a bound; 0 if so many would be by chance.

    Args:
        best: The distances of the best trials from the bound. If the first is not among the OUTERMOST, the result is 0.
        tried: The distances of all trials, ascending.
    """
    outer = tried[max(len(best), int(OUTER * len(tried))) - 1]
    near = sum(away <= outer for away in best)
    inside = sum(away <= outer for away in tried)  # several may lie equally far
    if best[0] > tried[max(2, int(OUTERMOST * len(tried))) - 1]:
        return 0
    return near if chance_of_hits(inside, near, len(best), len(tried)) <= SELDOM else 0


def _place(numeric: Numeric, value: float) -> float:
    """The position of a value in its range, 0 to 1, on the range's own scale."""
    low, high = numeric.low, numeric.high
    if numeric.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return (value - low) / (high - low)


def widened(numeric: Numeric, side: Side) -> tuple[float, float]:
    """The range extended by half its width beyond the bound, on its own scale; a fraction stays within 0 and 1."""
    low, high = numeric.low, numeric.high
    if numeric.log:
        factor = math.sqrt(high / low)
        low, high = (low / factor, high) if side == "low" else (low, high * factor)
    else:
        more = (high - low) / 2
        beyond = (low - more, high) if side == "low" else (low, high + more)
        if low >= 0 and high <= 1 and not numeric.integer:
            beyond = (low / 2, high) if side == "low" else (low, (1 + high) / 2)
        elif low >= 0:
            beyond = (max(low / 2, beyond[0]), beyond[1])
        low, high = beyond
    if numeric.integer:
        return float(max(1, math.floor(low)) if numeric.low >= 1 else math.floor(low)), float(math.ceil(high))
    return _round(low), _round(high)


def _round(value: float) -> float:
    return float(f"{value:.2g}")


def _by_chance(near: int, best: int, share: float) -> float:
    return sum(math.comb(best, k) * share**k * (1 - share) ** (best - k) for k in range(near, best + 1))
