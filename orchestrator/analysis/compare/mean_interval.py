"""The confidence interval of a mean, within what its metric can be: accuracies within 0 and 1, errors above 0."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence

CONFIDENCE = 0.95
"""Confidence level of a mean's interval: two-sided, Student's t."""

_SHARE = re.compile(
    r"acc|auc|auroc|f1|f_?score|precision|recall|sensitivity|specificity|iou|dice|map$|error_rate", re.I
)
_POSITIVE = re.compile(r"mse|mae|rmse|perplexity|ppl|error|seconds", re.I)


def mean_interval(values: Sequence[float], metric: str) -> tuple[float, float] | None:
    """The interval of the mean of these values; None of fewer than two.

    For a metric between bounds it is computed on the logistic scale, for one above 0 on the logarithmic scale, by the
    delta method.
    """
    if len(values) < 2:
        return None
    from scipy.stats import t

    mean = statistics.fmean(values)
    half = float(t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    low, high = bounds(values, metric)
    if half == 0 or math.isinf(low) or mean in (low, high):
        return mean - half, mean + half
    if math.isinf(high):
        return low + (mean - low) * _exp(-half / (mean - low)), low + (mean - low) * _exp(half / (mean - low))
    odds = (mean - low) / (high - mean)
    reach = half * (high - low) / ((mean - low) * (high - mean))
    return _between(low, high, odds * _exp(-reach)), _between(low, high, odds * _exp(reach))


def bounds(values: Sequence[float], metric: str) -> tuple[float, float]:
    """Between what a metric of this name lies, unless the values say otherwise; infinite where nothing is known."""
    least, most = min(values), max(values)
    if _SHARE.search(metric) and least >= 0 and most <= 100:
        return 0.0, 1.0 if most <= 1 else 100.0
    if _POSITIVE.search(metric) and least >= 0:
        return 0.0, math.inf
    return -math.inf, math.inf


def _exp(power: float) -> float:
    return math.exp(min(power, 700.0))


def _between(low: float, high: float, odds: float) -> float:
    return low + (high - low) * (odds / (1 + odds) if odds < 1e300 else 1.0)
