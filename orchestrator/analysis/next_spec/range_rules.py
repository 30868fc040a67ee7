"""Rules for numeric ranges: extend a range beyond a bound that the best lie at, or narrow it around them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from orchestrator.analysis.diagnosis.findings.search_space import Side, widened
from orchestrator.analysis.next_spec.prior_results import FEWEST_GOOD, PriorResults
from orchestrator.analysis.next_spec.search_rules import STARTS
from orchestrator.analysis.next_spec.spec_change import SpecChange
from orchestrator.space.distribution import Distribution, Numeric
from orchestrator.space.normal import LogNormal, Normal
from orchestrator.space.steps import exact

MARGIN = 0.25
"""The margin on either side of the good values, as a share of their spread."""

MARGIN_OF_ALL = 0.05
"""An additional margin, as a share of the whole range."""

OUTLIERS = 0.05
"""The share of good values ignored at either end, if there are many."""

NARROWER = 0.75
"""A range is only narrowed if it becomes shorter than this share of its width, on its own scale."""

BELL = 2.0
"""The standard deviation of a narrowed normal distribution, in standard deviations of the good values."""


def extend_range(prior: PriorResults, name: str, distribution: Distribution) -> SpecChange | None:
    """Extend a range beyond a bound that the best trials lie at, and end it with the good values on the other side."""
    found, numeric = prior.bounds.get(name), distribution.numeric
    if found is None or found.wider is None or numeric is None:
        return None
    low, high = _on_steps(numeric, *_allowed(prior, name, found.wider))
    ends = _around(prior, name, distribution) or _bounds(numeric)
    if found.side == "low":
        beyond, which, high = low < numeric.low, "lower", ends[1]
    else:
        beyond, which, low = high > numeric.high, "upper", ends[0]
    if not beyond or not low < high:
        return None
    reason = f"{found.near} of the {found.best} best trials lie {found.where} the {which} bound"
    return _revised(prior, name, distribution, low, high, reason)


def narrow_range(prior: PriorResults, name: str, distribution: Distribution) -> SpecChange | None:
    """Narrow a range around good trials that lie close together."""
    numeric = distribution.numeric
    ends = _around(prior, name, distribution)
    if numeric is None or ends is None:
        return None
    values = sorted(prior.good_values(name))
    cut = _outliers(len(values))
    which = f"the best {len(values)} trials" if not cut else f"nine in ten of the best {len(values)} trials"
    reason = f"{which} lie in {_range(numeric, values[cut], values[-1 - cut])}"
    return _revised(prior, name, distribution, *ends, reason)


def recentre_normal(prior: PriorResults, name: str, distribution: Distribution) -> SpecChange | None:
    """Give a normal distribution the mean of the good trials, and a smaller standard deviation."""
    values = prior.good_values(name)
    if not isinstance(distribution, Normal | LogNormal) or len(values) < FEWEST_GOOD:
        return None
    seen = [math.log(value) for value in values] if isinstance(distribution, LogNormal) else values
    mean, sd = distribution.mean_sd
    spread = BELL * statistics.stdev(seen)
    freedom = len(seen) - 1
    if spread >= NARROWER * sd or not prior.is_significant(name, _chi2(freedom * (spread / BELL / sd) ** 2, freedom)):
        return None
    middle, width = statistics.fmean(seen), max(spread, sd / 10)
    best = seen[0]
    if abs(best - middle) > BELL * width:
        return None
    new = [float(f"{middle:.3g}"), float(f"{width:.2g}")]
    reason = f"the best {len(values)} trials lie around {middle:.3g}, with a standard deviation of {spread / BELL:.2g}"
    return _with(prior, name, distribution, new, f"was [{mean:g}, {sd:g}]: {reason}")


def _around(prior: PriorResults, name: str, distribution: Distribution) -> tuple[float, float] | None:
    """The range of the good values with a margin; None if it is hardly shorter, or could be so by chance.

    It never ends at an old bound close to which good values lie, unless nothing may lie beyond that.
    """
    values, numeric = prior.good_values(name), distribution.numeric
    if len(values) < FEWEST_GOOD or numeric is None:
        return None
    cut = _outliers(len(values))
    inner = sorted(values)[cut : len(values) - cut]
    places = [distribution.to_unit(value) for value in inner]
    spread = max(places) - min(places)
    margin = MARGIN * spread + MARGIN_OF_ALL
    start, end = min(places) - margin, max(places) + margin
    tried = [each.config[name] for each in prior.judged if name in each.config]
    if inner[0] == min(tried):  # nothing says that it becomes worse towards the bound
        start = min(start, -margin)
    if inner[-1] == max(tried):
        end = max(end, 1.0 + margin)
    one = 1 / len(distribution.values() or range(1000))  # with few possible values, several coincide
    chance = _beta(spread + one, len(places) - 1, 2 + 2 * cut)
    if min(end, 1.0) - max(start, 0.0) > NARROWER or not prior.is_significant(name, chance):
        return None
    low = _rounded(numeric, distribution.from_unit(max(start, 0.0)), ROUND_FLOOR)
    high = _rounded(numeric, distribution.from_unit(min(end, 1.0)), ROUND_CEILING)
    kept = [*inner, *values[:STARTS]]  # the start points of the next search
    low, high = max(numeric.low, min(low, *kept)), min(numeric.high, max(high, *kept))
    if low == numeric.low:
        low = _beyond(prior, name, numeric, "low", min(start, -one))
    if high == numeric.high:
        high = _beyond(prior, name, numeric, "high", max(end, 1.0 + one))
    if low == high:  # a single integer, or step
        step = numeric.step or 1
        low, high = (low, high + step) if high + step <= numeric.high else (low - step, high)
    return (low, high) if low < high and (low, high) != _bounds(numeric) else None


def _beyond(prior: PriorResults, name: str, numeric: Numeric, side: Side, place: float) -> float:
    """The end of a range beyond a bound close to which the good values lie, or the bound if nothing may lie beyond it.

    Args:
        prior: The results of the sweep.
        name: The parameter.
        numeric: Its range.
        side: Of the bound.
        place: Where the range is to end, as a share of the old one: below 0 or above 1.
    """
    low, high = numeric.low, numeric.high
    end = low * (high / low) ** place if numeric.log else low + place * (high - low)
    if side == "low":
        end = max(_whole(numeric, end, ROUND_FLOOR), widened(numeric, side)[0])
        return min(low, _on_steps(numeric, *_allowed(prior, name, (end, high)))[0])
    end = min(_whole(numeric, end, ROUND_CEILING), widened(numeric, side)[1])
    return max(high, _allowed(prior, name, (low, end))[1])


def _whole(numeric: Numeric, value: float, how: str) -> float:
    """A value that an end of the range may have: an integer, or a short number."""
    return float(exact(value).to_integral_value(how)) if numeric.integer else _rounded(numeric, value, how)


def _outliers(count: int) -> int:
    """How many good values are ignored at either end."""
    return int(OUTLIERS * count)


def _beta(spread: float, a: int, b: int) -> float:
    """The probability that uniform values lie this close: the spacing of two order statistics is beta distributed."""
    from scipy.stats import beta

    return float(beta.cdf(spread, a, b))


def _chi2(value: float, freedom: int) -> float:
    """The probability of a variance this small by chance."""
    from scipy.stats import chi2

    return float(chi2.cdf(value, freedom))


def _rounded(numeric: Numeric, value: float, how: str) -> float:
    """Round away from the good values, to two significant digits of the value or of the width of the range."""
    if numeric.integer or numeric.step is not None or not value:
        return value
    size = abs(value) if numeric.log else numeric.high - numeric.low
    digit = Decimal(1).scaleb(math.floor(math.log10(size)) - 1)
    return float((exact(value) / digit).to_integral_value(how) * digit)


def _allowed(prior: PriorResults, name: str, wider: tuple[float, float]) -> tuple[float, float]:
    declared = prior.declared.get(name)
    return wider if declared is None else (max(wider[0], declared.low), min(wider[1], declared.high))


def _on_steps(numeric: Numeric, low: float, high: float) -> tuple[float, float]:
    """A wider range aligned to the same steps as before."""
    if numeric.step is None or numeric.log:
        return low, high
    steps = math.floor((exact(numeric.low) - exact(low)) / exact(numeric.step))
    return float(exact(numeric.low) - steps * exact(numeric.step)), high


def _revised(
    prior: PriorResults, name: str, distribution: Distribution, low: float, high: float, reason: str
) -> SpecChange:
    numeric = distribution.numeric
    assert numeric is not None
    bounds = [int(low), int(high)] if numeric.integer else [float(low), float(high)]
    return _with(prior, name, distribution, bounds, f"was {_range(numeric, *_bounds(numeric))}: {reason}")


def _with(prior: PriorResults, name: str, distribution: Distribution, value: Sequence[Any], reason: str) -> SpecChange:
    # Without the prior: the best trials, which are start points, know more.
    plain = distribution.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"prior"})
    return SpecChange(edits={("space", name): {**plain, distribution.form: list(value)}}, reason=reason)


def _bounds(numeric: Numeric) -> tuple[float, float]:
    return numeric.low, numeric.high


def _range(numeric: Numeric, low: float, high: float) -> str:
    return f"[{low}, {high}]" if numeric.integer else f"[{low:.3g}, {high:.3g}]"
