"""Underfitting: training and validation loss both stopped falling far from what other trials reached."""

from __future__ import annotations

from orchestrator.analysis.diagnosis.curve import Curve
from orchestrator.analysis.diagnosis.curve_shape import LAST
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

WAY = 0.87
"""The least progress from an untrained model to the sweep's best that counts as a fit. Set on churn, where healthy
trainings reached at least 0.94 and limited ones at most 0.81."""


def underfitting(curve: Curve, reference: Reference | None) -> Verdict | None:
    """Both curves ended with less progress than WAY."""
    train, validation = curve.train, curve.validation
    if train is None or train.shape is None or reference is None:
        return None
    end = train.shape.end
    come = way(end, reference.start, reference.train)
    numbers = {"end": train.value(end), "reached": train.value(reference.train), "way": come}
    if come > WAY:
        return None
    ended = f"{train.name} ended at {train.shown(end)}"
    if validation is not None and reference.validation is not None:
        if validation.shape is None or way(validation.shape.lowest, reference.start, reference.validation) > WAY:
            return None
        ended += f" and {validation.name} at {validation.shown(validation.shape.end)}"
    brought = train.shape.gained_since(train.shape.at(LAST))
    sentence = (
        f"{ended}; another trial reached a {train.name} of {train.shown(reference.train)}, and only"
        f" {max(0.0, brought):.0%} of the gain came in the last third of the steps"
    )
    return Verdict(kind=Kind.UNDERFITTING, sentence=sentence, numbers=numbers | {"last_third": brought})


def way(loss: float, start: float, best: float) -> float:
    """The progress of a loss from the start to the best: 0 at the start, 1 at the best."""
    return (start - loss) / (start - best)
