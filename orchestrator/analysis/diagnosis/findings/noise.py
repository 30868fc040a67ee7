"""How much of the difference between the best two is chance: repeats of a configuration with other seeds tell."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.analysis.summary.results import SweepResults, TrialResult
from orchestrator.core.rows import State
from orchestrator.space.values import canonical_json

CONFIDENCE = 0.95
"""Of the confidence interval (two-sided, Student's t with the spread pooled over all configurations)."""


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What repeats say."""

    deviation: float  # of one trial's result, pooled
    freedom: int
    repeated: int  # configurations with repeats
    first: tuple[float, int]  # mean and trials of the best configuration
    second: tuple[float, int]

    @property
    def difference(self) -> float:
        """Between the best two."""
        return abs(self.first[0] - self.second[0])

    @property
    def uncertainty(self) -> float:
        """Half of the confidence interval of that difference."""
        from scipy.stats import t

        quantile = float(t.ppf((1 + CONFIDENCE) / 2, self.freedom))
        return quantile * self.deviation * math.sqrt(1 / self.first[1] + 1 / self.second[1])


def noise_of(results: SweepResults) -> Noise | None:
    """What repeats say; None if there are none, or only one configuration."""
    groups: dict[str, list[TrialResult]] = {}
    for each in results.outcomes:
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
    """Whether the best two differ by more than chance."""
    found = noise_of(results)
    if found is None:
        return []
    numbers = {
        "deviation": found.deviation,
        "freedom": found.freedom,
        "difference": found.difference,
        "uncertainty": found.uncertainty,
    }
    spread = f"repeats of {found.repeated} configuration{'s' * (found.repeated > 1)} spread by {found.deviation:.2g}"
    if found.difference <= found.uncertainty:
        return [
            Finding(
                subject="noise",
                sentence=f"the best two configurations differ by {found.difference:.2g}, which may be chance: {spread}",
                advice="repeat the best ones with other seeds before you believe in the first",
                numbers=numbers,
            )
        ]
    sentence = f"the best two configurations differ by {found.difference:.2g}, more than chance does: {spread}"
    return [Finding(subject="noise", sentence=sentence, numbers=numbers, urgent=False)]
