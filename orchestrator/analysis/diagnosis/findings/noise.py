"""Whether the best two configurations differ by more than chance, judged by repeats with other seeds."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.analysis.summary.results import SweepResults, TrialResult
from orchestrator.core.rows import State
from orchestrator.space.values import canonical_json

CONFIDENCE = 0.95
"""Confidence level (two-sided, Student's t with the standard deviation pooled over all configurations)."""


@dataclass(frozen=True, kw_only=True)
class Noise:
    """The spread of repeats, and the best two configurations."""

    deviation: float  # pooled standard deviation of a trial's result
    freedom: int  # degrees of freedom of the deviation
    repeated: int  # number of configurations with repeats
    first: tuple[float, int]  # mean and trials of the best configuration
    second: tuple[float, int]

    @property
    def difference(self) -> float:
        """The difference between the best two means."""
        return abs(self.first[0] - self.second[0])

    @property
    def uncertainty(self) -> float:
        """Half the width of the confidence interval of the difference."""
        from scipy.stats import t

        quantile = float(t.ppf((1 + CONFIDENCE) / 2, self.freedom))
        return quantile * self.deviation * math.sqrt(1 / self.first[1] + 1 / self.second[1])


def noise_of(results: SweepResults) -> Noise | None:
    """The noise of a sweep; None without repeats, or with only one configuration."""
    groups: dict[str, list[TrialResult]] = {}
    for each in results.trials:
        if each.state is State.COMPLETED and each.value is not None:
            groups.setdefault(canonical_json(each.config), []).append(each)
    values = [[each.value for each in group if each.value is not None] for group in groups.values()]
    repeated = [group for group in values if len(group) > 1]
    if not repeated or len(values) < 2:
        return None
    freedom = sum(len(group) - 1 for group in repeated)
    squares = sum((len(group) - 1) * statistics.variance(group) for group in repeated)
    sign = 1 if results.objective.mode == "min" else -1
    ranked = sorted(values, key=lambda group: sign * statistics.fmean(group))
    first, second = ((statistics.fmean(group), len(group)) for group in ranked[:2])
    return Noise(
        deviation=math.sqrt(squares / freedom), freedom=freedom, repeated=len(repeated), first=first, second=second
    )


def noise(results: SweepResults) -> list[Finding]:
    """A finding on whether the best two configurations differ by more than chance."""
    found = noise_of(results)
    if found is None:
        return []
    numbers = {
        "deviation": found.deviation,
        "freedom": found.freedom,
        "difference": found.difference,
        "uncertainty": found.uncertainty,
    }
    spread = f"repeats of {found.repeated} configuration{'s' * (found.repeated > 1)} vary by {found.deviation:.2g}"
    if found.difference <= found.uncertainty:
        return [
            Finding(
                subject="noise",
                sentence=f"the best two configurations differ by {found.difference:.2g}, which may be chance: {spread}",
                advice="repeat the best configurations with more seeds before choosing one",
                numbers=numbers,
            )
        ]
    sentence = f"the best two configurations differ by {found.difference:.2g}, more than chance explains: {spread}"
    return [Finding(subject="noise", sentence=sentence, numbers=numbers, urgent=False)]
