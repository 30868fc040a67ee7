"""Worsened: the loss rose again, and no training loss says whether that is overfitting."""

from __future__ import annotations

from orchestrator.analysis.diagnosis.curve import Curve
from orchestrator.analysis.diagnosis.curve_shape import CurveShape
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

LOSS = 0.10
"""The generalisation loss at the end: how far the loss rose above its best, relative to its best (Prechelt 1998, Early
Stopping - But When?, section 2, where stopping criteria around 5% are tried). Set on churn between 0.06, the most of a
healthy training, and 0.3, where overfitting starts."""

RISE = 0.30
"""The same rise relative to the span of the curve, because a loss near 0 rises by 10% of itself easily. Set on churn
between 0.23 and 0.52."""

DOUBLED = 1.0
"""The rise relative to the best that counts also where the span is large, because the loss fell from far above."""

OF_SPAN = 0.01
"""The least such rise relative to the span: where the loss fell by 100 times, what is left of it may double."""

BEYOND = 4.0
"""The least such rise, in standard deviations of the fluctuation."""


def worsened(curve: Curve, reference: Reference | None) -> Verdict | None:
    """The judged curve turned."""
    judged = curve.judged
    if judged is None or judged.shape is None or not turned(judged.shape):
        return None
    shape = judged.shape
    sentence = (
        f"{judged.name} was best at step {shape.steps[shape.best]}, {judged.shown(shape.lowest)}, and ended at"
        f" {judged.shown(shape.end)}{by(shape)}"
    )
    numbers = {
        "turned_at": shape.steps[shape.best],
        "best": judged.value(shape.lowest),
        "end": judged.value(shape.end),
    }
    return Verdict(kind=Kind.WORSENED, sentence=sentence, numbers=numbers)


def turned(shape: CurveShape) -> bool:
    """Whether a loss ended far above its best: by LOSS of it and RISE of the span, or by DOUBLED of it."""
    rise = shape.end - shape.lowest
    if rise > max(RISE * shape.span, LOSS * abs(shape.lowest)):
        return True
    return rise >= max(DOUBLED * abs(shape.lowest), OF_SPAN * shape.span, BEYOND * shape.fluctuation) and rise > 0


def by(shape: CurveShape) -> str:
    """By how much the end is worse than the best, in words; "" if the best is 0."""
    return f", {(shape.end - shape.lowest) / abs(shape.lowest):.0%} worse" if shape.lowest else ""
