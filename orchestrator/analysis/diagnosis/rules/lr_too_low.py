"""The training loss falls too slowly: at the end as at the beginning, and far from what others reached."""

from __future__ import annotations

from orchestrator.analysis.diagnosis.curve import Curve
from orchestrator.analysis.diagnosis.curve_shape import LAST
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.rules.underfitting import WAY, way
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

STEEP = 0.18
"""What the last third of the steps brought of all that the training curve fell; a straight line has 0.33. Set on churn:
0.21 and more where the rate was too low, mostly up to 0.14 where the model was held back."""


STEADY = 0.5
"""All that the curve rose against all that it fell, at most: a plateau that trembles is steep at its end by chance. Set
on churn."""


def lr_too_low(curve: Curve, reference: Reference | None) -> Verdict | None:
    """STEADY, STEEP at the end, and less than WAY of the way to what others reached."""
    train = curve.train
    if train is None or train.shape is None or reference is None:
        return None
    shape = train.shape
    brought = shape.gained_since(shape.at(LAST))
    come = way(shape.end, reference.start, reference.train)
    if brought < STEEP or shape.rises > STEADY or come > WAY:
        return None
    sentence = (
        f"{train.name} came from {train.shown(shape.start)} to {train.shown(shape.end)}, {brought:.0%} of it in the"
        f" last third of the steps; another trial reached {train.shown(reference.train)}"
    )
    numbers = {
        "last_third": brought,
        "end": train.value(shape.end),
        "reached": train.value(reference.train),
        "way": come,
    }
    return Verdict(kind=Kind.LR_TOO_LOW, sentence=sentence, numbers=numbers)
