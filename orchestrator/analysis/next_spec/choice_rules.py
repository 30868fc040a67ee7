"""Rules for choices and grids: drop options that never did well, extend a series of numbers beyond its end."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from orchestrator.analysis.next_spec.prior_results import PriorResults
from orchestrator.analysis.next_spec.spec_change import SpecChange
from orchestrator.formatting import count, yaml
from orchestrator.space.choices import Choice, Grid
from orchestrator.space.distribution import Distribution
from orchestrator.space.values import canonical_json, is_number

SELDOM = 0.05
"""An option is dropped if the probability that none of the good trials has it by chance is below this
(hypergeometric)."""

FEWEST_TRIED = 3


def drop_options(prior: PriorResults, name: str, distribution: Distribution) -> SpecChange | None:
    """Drop options that none of the good trials has, if they were tried often enough."""
    if not isinstance(distribution, Choice) or distribution.ordered:
        return None
    hopeless = [option for option in distribution.options if _is_hopeless(prior, name, [option])]
    return _without(prior, name, distribution, hopeless)


def trim_options(prior: PriorResults, name: str, distribution: Distribution) -> SpecChange | None:
    """Drop ordered options beyond all good ones, keeping one neighbour on each side."""
    if not isinstance(distribution, Choice) or not distribution.ordered:
        return None
    options = distribution.options
    places = [_place(options, value) for value in prior.good_values(name)]
    if not places:
        return None
    first, last = max(0, min(places) - 1), min(len(options) - 1, max(places) + 1)
    beyond = [*options[:first], *options[last + 1 :]]
    return _without(prior, name, distribution, beyond if _is_hopeless(prior, name, beyond) else [])


def extend_options(prior: PriorResults, name: str, distribution: Distribution) -> SpecChange | None:
    """Extend an evenly spaced series of numbers by one value, if the best trials lie at its end."""
    found = prior.bounds.get(name)
    ordered = isinstance(distribution, Grid) or (isinstance(distribution, Choice) and distribution.ordered)
    if found is None or not ordered:
        return None
    options = list(distribution.values() or ())
    following = _following(sorted(options, reverse=found.side == "low"))
    declared = prior.declared.get(name)
    if following is None or (declared is not None and not _may_be(following, declared)):
        return None
    if (found.bound > 0) != (following > 0):
        return None
    rising = options == sorted(options)
    longer = [following, *options] if (found.side == "low") == rising else [*options, following]
    reason = f"{found.near} of the {found.best} best trials have {found.bound:g}, the last value"
    return _with(name, distribution, longer, f"was without {yaml(following)}: {reason}")


def refine_grid(prior: PriorResults, name: str, distribution: Distribution) -> SpecChange | None:
    """Refine a grid of numbers around the best value, halfway to its neighbours."""
    best = prior.ranked[0].config.get(name) if prior.ranked else None
    if not isinstance(distribution, Grid) or prior.results.method != "grid" or not prior.matters(name):
        return None
    options = sorted(option for option in distribution.options if is_number(option))
    if best is None or len(options) < max(3, len(distribution.options)):
        return None
    at = _place(options, best)
    between = [_between(best, options[each]) for each in (at - 1, at + 1) if 0 <= each < len(options)]
    finer = sorted({best, *between})
    if len(finer) < 2:
        return None
    return _with(name, distribution, finer, f"was {yaml(list(distribution.options))}: {yaml(best)} was the best")


def _is_hopeless(prior: PriorResults, name: str, options: Sequence[Any]) -> bool:
    keys = {canonical_json(option) for option in options}
    there = [each for each in prior.judged if name in each.config]
    tried = sum(canonical_json(each.config[name]) in keys for each in there)
    good = [canonical_json(value) for value in prior.good_values(name)]
    if tried < FEWEST_TRIED or keys & set(good):
        return False
    chance = math.comb(len(there) - tried, len(good)) / math.comb(len(there), len(good))
    return chance < SELDOM and prior.is_significant(name, chance)


def _without(prior: PriorResults, name: str, distribution: Choice, gone: Sequence[Any]) -> SpecChange | None:
    keys = {canonical_json(option) for option in gone}
    left = [option for option in distribution.options if canonical_json(option) not in keys]
    if not gone or not left:
        return None
    tried = sum(name in each.config and canonical_json(each.config[name]) in keys for each in prior.judged)
    good = count(len(prior.good_values(name)), "trial")
    words = " and ".join(map(yaml, gone))
    reason = f"was also {words}: none of the {count(tried, 'trial')} with {'it' if len(gone) == 1 else 'them'} is among"
    return _with(name, distribution, left, f"{reason} the best {good}")


def _with(name: str, distribution: Distribution, options: Sequence[Any], reason: str) -> SpecChange:
    # Without the prior: the best trials, which are start points, know more.
    plain = distribution.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"prior"})
    if isinstance(distribution, Choice) and distribution.weights is not None:
        plain["weights"] = _weights(distribution, options)
    return SpecChange(edits={("space", name): {**plain, distribution.form: list(options)}}, reason=reason)


def _weights(distribution: Choice, options: Sequence[Any]) -> list[float]:
    """The weights of other options; a new one, which is at an end, has that of its neighbour."""
    assert distribution.weights is not None
    known = dict(zip(map(canonical_json, distribution.options), distribution.weights, strict=True))
    first, last = distribution.weights[0], distribution.weights[-1]
    ends = {0: first, len(options) - 1: last}
    return [known.get(canonical_json(each), ends.get(at, first)) for at, each in enumerate(options)]


def _place(options: Sequence[Any], value: Any) -> int:
    return [canonical_json(option) for option in options].index(canonical_json(value))


def _following(options: Sequence[Any]) -> Any:
    """The next value of a series with a constant factor or difference; None if the series has neither."""
    if len(options) < 2 or not all(map(is_number, options)):
        return None
    pairs = list(itertools.pairwise(options))
    whole = all(isinstance(option, int) for option in options)
    if all(each > 0 for each in options) and _alike([right / left for left, right in pairs]):
        following = options[-1] * options[-1] / options[-2]
    elif _alike([right - left for left, right in pairs]):
        following = options[-1] + options[-1] - options[-2]
    else:
        return None
    if whole:
        return int(following) if following == int(following) else None
    return float(f"{following:.6g}")


def _alike(steps: Sequence[float]) -> bool:
    return all(math.isclose(step, steps[0], rel_tol=1e-6) for step in steps)


def _between(one: Any, other: Any) -> Any:
    """The midpoint; the geometric mean for positive numbers of different magnitudes."""
    far = one > 0 and other > 0 and max(one, other) >= 4 * min(one, other)
    middle = math.sqrt(one * other) if far else (one + other) / 2
    return round(middle) if isinstance(one, int) and isinstance(other, int) else float(f"{middle:.3g}")


def _may_be(value: Any, declared: Any) -> bool:
    return bool(declared.low <= value <= declared.high and (not declared.choices or value in declared.choices))
