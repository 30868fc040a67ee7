"""The training ended too early: it was still getting better."""

from __future__ import annotations

from orchestrator.analysis.diagnosis.curve import Curve
from orchestrator.analysis.diagnosis.curve_shape import LAST
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

GAIN = 0.05
"""What the last third of the steps brought of all that was gained, at least. Set on churn."""

BEYOND = 2.0
"""And against the fluctuation. Two standard deviations, as usual."""


def still_improving(curve: Curve, reference: Reference | None) -> Verdict | None:
    """The judged curve gained GAIN at the end, BEYOND its fluctuation, and was best there."""
    judged = curve.judged
    if judged is None or judged.shape is None:
        return None
    shape = judged.shape
    third = shape.at(LAST)
    brought = shape.gained_since(third)
    if brought < GAIN or shape.trend[third] - shape.end < BEYOND * shape.fluctuation or shape.best < third:
        return None
    sentence = (
        f"{judged.name} was still getting better: {brought:.0%} of its gain came in the last third of the steps,"
        f" smoothed from {judged.shown(shape.trend[third])} to {judged.shown(shape.end)}"
    )
    numbers = {"last_third": brought, "end": judged.value(shape.end)}
    return Verdict(kind=Kind.STILL_IMPROVING, sentence=sentence, numbers=numbers)
