"""Plateaued: the training ran long after it stopped improving."""

from __future__ import annotations

from orchestrator.analysis.diagnosis.curve import Curve
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

REST = 0.02
"""The most that was still to be gained when the plateau started, as a share of the total gain. Set on churn."""

SAME = 0.10
"""The same limit relative to the loss: a loss near 0 can shrink tenfold without gaining much. Set on churn."""

LONG = 0.5
"""The least share of steps on the plateau."""


def plateaued(curve: Curve, reference: Reference | None) -> Verdict | None:
    """During the last LONG share of the steps, at most REST of the gain was left, and at most SAME of the loss."""
    judged = curve.judged
    if judged is None or judged.shape is None:
        return None
    shape = judged.shape
    near = shape.lowest + min(REST * (shape.start - shape.lowest), SAME * abs(shape.lowest))
    began = next(index for index, loss in enumerate(shape.trend) if loss <= near)
    if began > shape.at(1 - LONG):
        return None
    step, last = shape.steps[began], shape.steps[-1]
    sentence = (
        f"{judged.name} reached {judged.shown(shape.trend[began])} at step {step}, and"
        f" {judged.shown(shape.lowest)} at best in the {last - step} steps after it"
    )
    numbers = {"since": step, "then": judged.value(shape.trend[began]), "best": judged.value(shape.lowest)}
    return Verdict(kind=Kind.PLATEAUED, sentence=sentence, numbers=numbers)
