"""How certain it is that the best trial is the best, as far as the records show."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from orchestrator.analysis.diagnosis.findings.noise import Noise
from orchestrator.analysis.summary.overview import Objective
from orchestrator.formatting import to_spread

FEWEST = 6
"""The fewest reports, in the later half of a curve, from which its noise is estimated."""

TURNS = 1 / 3
"""The least share of reports at which a curve changes direction, for its differences to count as noise."""


def noise(curve: Sequence[float]) -> float | None:
    """The standard deviation of a curve about its trend, from the differences of neighbours in its later half.

    von Neumann, "Distribution of the ratio of the mean square successive difference to the variance" (1941): half the
    mean square of differences estimates the variance, whatever the slow trend. None if the curve is too short, or so
    steady (noise alone changes direction at two reports of three) that its trend would be mistaken for noise.
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
    results: Sequence[float], curve: Sequence[float], repeats: Noise | None, objective: Objective
) -> tuple[str, ...]:
    """Sentences on how certain the best result is.

    Args:
        results: The results of all trials that have one, the best first.
        curve: The objective of the best trial at every report.
        repeats: The spread of repeated configurations; None without repeats.
        objective: Which report of a trial is its result, and which results are better.
    """
    if not results:
        return ()
    if len(results) == 1:
        return ("No other trial has a result to compare it with.",)
    second = to_spread(results[1], objective.spread_of(list(results)))
    said = [f"The second best trial reached {second}, a difference of {abs(results[0] - results[1]):.2g}."]
    own = noise(curve)
    if repeats is not None:
        verdict = "which may be chance" if repeats.difference <= repeats.uncertainty else "more than chance explains"
        said.append(
            f"Repeats with other seeds vary by {repeats.deviation:.3g} (standard deviation). On average, the best two"
            f" configurations differ by {repeats.difference:.3g} ± {repeats.uncertainty:.3g}, {verdict}."
        )
    elif own:
        said.append(
            f"The best trial's own curve fluctuates by {own:.3g} between reports (standard deviation);"
            f" {_within(results, own)}."
        )
    if repeats is None:
        said.append(
            "No configuration was trained twice, so the effect of the seed is unknown; sweep confirm measures it."
        )
    if objective.at == "best":
        said.append("The best report of the best of many trials is optimistic; expect worse results on new data.")
    return tuple(said)


def _within(results: Sequence[float], deviation: float) -> str:
    near = sum(abs(result - results[0]) <= 2 * deviation for result in results[1:])
    if not near:
        return "no other trial is within twice that of the best"
    others = "1 other trial is" if near == 1 else f"{near} other trials are"
    return f"{others} within twice that of the best, and may be as good"
