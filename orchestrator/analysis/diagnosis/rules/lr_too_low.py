"""Learning rate too low: the training loss was still falling steadily at the end, far from what others reached."""

from __future__ import annotations

from orchestrator.analysis.diagnosis.curve import Curve
from orchestrator.analysis.diagnosis.curve_shape import LAST
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.rules.underfitting import WAY, way
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

STEEP = 0.18
"""The least share of the fall that came in the last third of the steps; a straight line has 0.33. Set on churn: at
least 0.21 where the rate was too low, mostly up to 0.14 where the model was limited."""


STEADY = 0.5
"""The highest sum of rises over the sum of falls: a noisy plateau may be steep at its end by chance. Set on churn."""


def lr_too_low(curve: Curve, reference: Reference | None) -> Verdict | None:
    """STEADY, STEEP at the end, and less progress than WAY towards what others reached."""
    train = curve.train
    if train is None or train.shape is None or reference is None:
        return None
    shape = train.shape
    brought = shape.gained_since(shape.at(LAST))
    come = way(shape.end, reference.start, reference.train)
    if brought < STEEP or shape.rises > STEADY or come > WAY:
        return None
    sentence = (
        f"{train.name} went from {train.shown(shape.start)} to {train.shown(shape.end)}, {brought:.0%} of it in the"
        f" last third of the steps; another trial reached {train.shown(reference.train)}"
    )
    numbers = {
        "last_third": brought,
        "end": train.value(shape.end),
        "reached": train.value(reference.train),
        "way": come,
    }
    return Verdict(kind=Kind.LR_TOO_LOW, sentence=sentence, numbers=numbers)
