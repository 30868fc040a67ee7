"""The training went on for long after it had nothing more to gain."""

from __future__ import annotations

from orchestrator.analysis.diagnosis.curve import Curve
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

REST = 0.02
"""What of the gain was still to come when the plateau began, at most. Set on churn."""

SAME = 0.10
"""And how much better than that the curve became, as a share of itself: a loss near 0 can get ten times smaller without
gaining much. Set on churn."""

LONG = 0.5
"""Share of the steps that lie on it, at least."""


def plateaued(curve: Curve, reference: Reference | None) -> Verdict | None:
    """For the LONG last of the steps the judged curve had no more than REST to gain, and stayed the SAME."""
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
        f"{judged.name} came to {judged.shown(shape.trend[began])} at step {step}, and the {last - step} steps after it"
        f" to {judged.shown(shape.lowest)} at best"
    )
    numbers = {"since": step, "then": judged.value(shape.trend[began]), "best": judged.value(shape.lowest)}
    return Verdict(kind=Kind.PLATEAUED, sentence=sentence, numbers=numbers)
