"""How sure it is that the best trial is the best: what the records can say of it, and what they cannot."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal

from orchestrator.analysis.diagnosis.findings.noise import Noise

FEWEST = 6
"""Of a shorter curve nothing is said."""

TURNS = 1 / 3
"""The share of reports at which a curve must turn, up or down, for its differences to be noise."""


def noise(curve: Sequence[float]) -> float | None:
    """The standard deviation of a curve about its trend, from the differences of neighbours in its later half.

    von Neumann, "Distribution of the ratio of the mean square successive difference to the variance" (1941): half the
    mean square of differences estimates the variance, whatever slow trend there is. None: it is too short, or it goes
    up or down so steadily (noise alone turns at two reports of three) that the trend would be taken for noise.
    """
    later = [value for value in curve if math.isfinite(value)][len(curve) // 2 :]
    if len(later) < FEWEST:
        return None
    differences = [after - before for before, after in itertools.pairwise(later)]
    turns = sum(before * after < 0 for before, after in itertools.pairwise(differences))
    if turns < TURNS * (len(differences) - 1):
        return None
    return math.sqrt(sum(difference**2 for difference in differences) / (2 * len(differences)))


def certainty(
    results: Sequence[float], curve: Sequence[float], repeats: Noise | None, at: Literal["best", "last"]
) -> tuple[str, ...]:
    """Sentences about the best result.

    Args:
        results: Of all trials that have one, the best first.
        curve: The objective of the best trial, report by report.
        repeats: What configurations that were trained more than once say.
        at: Which report of a trial is its result.
    """
    if not results:
        return ()
    if len(results) == 1:
        return ("No other trial has a result to compare it with.",)
    said = [f"The second best has {results[1]:.6g}, {abs(results[0] - results[1]):.3g} behind."]
    own = noise(curve)
    if repeats is not None:
        verdict = "which may be chance" if repeats.difference <= repeats.uncertainty else "more than chance does"
        said.append(
            f"Repeats with other seeds spread by {repeats.deviation:.3g} (standard deviation). On average, the best two"
            f" configurations differ by {repeats.difference:.3g} ± {repeats.uncertainty:.3g}, {verdict}."
        )
    elif own:
        said.append(
            f"From report to report the best trial's own curve fluctuates by {own:.3g} (standard deviation):"
            f" {_within(results, own)}."
        )
    if repeats is None:
        said.append(
            "No configuration was trained twice, so how much of this is the luck of a seed is not known:"
            " sweep confirm would tell."
        )
    if at == "best":
        said.append("The best report of the best of many trials flatters: expect it to be worse on new data.")
    return tuple(said)


def _within(results: Sequence[float], deviation: float) -> str:
    near = sum(abs(result - results[0]) <= 2 * deviation for result in results[1:])
    if not near:
        return "no other trial lies within twice that of it"
    others = "1 other trial lies" if near == 1 else f"{near} other trials lie"
    return f"{others} within twice that of it, and may be as good"
