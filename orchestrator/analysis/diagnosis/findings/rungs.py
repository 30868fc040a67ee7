"""Whether the ranking at a rung predicts the final ranking. If it does not, ASHA stops the wrong trials there."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.analysis.summary.results import SweepResults
from orchestrator.core.rows import State
from orchestrator.core.rung_unit import rung_name

FEWEST = 8
"""The fewest trials that passed the rung and completed."""

WEAK = 0.3
"""A rank correlation below this is negligible (Cohen 1988, Statistical Power Analysis, section 3.2: "medium")."""

DOUBT = 0.6
"""The highest upper end of the correlation's 95% interval: with few trials, a low correlation may be chance."""


@dataclass(frozen=True, kw_only=True)
class RungPrediction:
    """How well the ranking at a rung predicts the final ranking."""

    rung: int
    trials: int  # that passed the rung and completed
    correlation: float  # Spearman's, 1 for the same order; biased low, because only continued trials count

    @property
    def at_most(self) -> float:
        """The upper end of the 95% interval (Fieller, Hartley and Pearson 1957, Tests for rank correlation)."""
        bounded = max(-0.9999, min(0.9999, self.correlation))
        return math.tanh(math.atanh(bounded) + 1.96 * math.sqrt(1.06 / (self.trials - 3)))


def rung_predictions(results: SweepResults) -> list[RungPrediction]:
    """One prediction per rung that enough completed trials have passed, the lowest rung first."""
    ends = {each.trial: each.value for each in results.trials if each.state is State.COMPLETED}
    rungs: dict[int, list[tuple[float, float]]] = {}
    lasts = {each.trial: results.reached(each) for each in results.trials}
    for entry in results.entries:
        end = ends.get(entry.trial)
        if end is not None and math.isfinite(entry.value) and entry.rung != lasts[entry.trial]:
            rungs.setdefault(entry.rung, []).append((entry.value, end))
    return [
        RungPrediction(rung=rung, trials=len(pairs), correlation=rank_correlation(*zip(*pairs, strict=True)))
        for rung, pairs in sorted(rungs.items())
        if len(pairs) >= FEWEST
    ]


def rungs(results: SweepResults) -> list[Finding]:
    """One finding about the rungs whose ranking hardly predicts the final one."""
    found = rung_predictions(results)
    weak = [each for each in found if each.correlation < WEAK and each.at_most < DOUBT]
    if not weak:
        return []
    said = ", ".join(
        f"{rung_name(each.rung, results.unit)} (rank correlation {each.correlation:.2f}, {each.trials} trials)"
        for each in weak
    )
    strong = [each.rung for each in found if each.correlation >= WEAK]
    return [
        Finding(
            subject="rungs",
            sentence=f"the ranking at rung {said} hardly predicts the final ranking",
            advice=f"set scheduler.grace_period: {min(strong)}" if strong else "increase scheduler.grace_period",
            numbers={"rungs": {each.rung: each.correlation for each in weak}},
            urgent=False,
        )
    ]


def rank_correlation(left: Sequence[float], right: Sequence[float]) -> float:
    """Spearman's correlation; 0 if one side does not vary."""
    a, b = ranks(left), ranks(right)
    try:
        return statistics.correlation(a, b)
    except statistics.StatisticsError:
        return 0.0


def ranks(values: Sequence[float]) -> list[float]:
    """The rank of each value from 1; ties get their mean rank."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or values[order[end]] != values[order[start]]:
            for index in order[start:end]:
                found[index] = (start + 1 + end) / 2
            start = end
    return found
