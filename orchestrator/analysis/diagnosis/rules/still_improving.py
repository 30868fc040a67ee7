"""Still improving: the training ended too early."""

from __future__ import annotations

from orchestrator.analysis.diagnosis.curve import Curve
from orchestrator.analysis.diagnosis.curve_shape import LAST
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

GAIN = 0.05
"""The least share of the total gain that came in the last third of the steps. Set on churn."""

BEYOND = 2.0
"""The least gain in the last third, in standard deviations of the fluctuation."""


def still_improving(curve: Curve, reference: Reference | None) -> Verdict | None:
    """The curve gained GAIN in the last third, BEYOND its fluctuation, and was best there."""
    judged = curve.judged
    if judged is None or judged.shape is None:
        return None
    shape = judged.shape
    third = shape.at(LAST)
    brought = shape.gained_since(third)
    if brought < GAIN or shape.trend[third] - shape.end < BEYOND * shape.fluctuation or shape.best < third:
        return None
    sentence = (
        f"{judged.name} was still improving: {brought:.0%} of its gain came in the last third of the steps,"
        f" smoothed from {judged.shown(shape.trend[third])} to {judged.shown(shape.end)}"
    )
    numbers = {"last_third": brought, "end": judged.value(shape.end)}
    return Verdict(kind=Kind.STILL_IMPROVING, sentence=sentence, numbers=numbers)
