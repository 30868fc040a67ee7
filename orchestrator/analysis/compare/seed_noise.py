"""How much a result varies between seeds, and which difference between two trials means something."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.analysis.compare.mean_interval import CONFIDENCE


@dataclass(frozen=True, kw_only=True)
class SeedNoise:
    """The noise of one configuration, in the units of the objective."""

    deviation: float  # standard deviation of a result over seeds, estimated with n - 1
    difference: float  # two trials of one configuration differ by less with 95% confidence


def seed_noise(values: Sequence[float]) -> SeedNoise:
    """The noise, from the results of the same configuration with at least two seeds.

    The difference of two results has the standard deviation √2 σ. With σ estimated from n results it is compared with
    Student's t of n - 1 degrees of freedom, so that few seeds give a wide bound: 18 times the deviation with two, 6
    with three, 3.9 with five.
    """
    from scipy.stats import t

    deviation = statistics.stdev(values)
    quantile = float(t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    return SeedNoise(deviation=deviation, difference=quantile * math.sqrt(2) * deviation)
