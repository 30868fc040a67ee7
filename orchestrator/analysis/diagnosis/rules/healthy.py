"""Healthy: the curve shows no fault, and the training neither ended too early nor went on too long."""

from __future__ import annotations

from orchestrator.analysis.diagnosis.curve import Curve
from orchestrator.analysis.diagnosis.curve_shape import LAST
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict


def healthy(curve: Curve, reference: Reference | None) -> Verdict | None:
    """The curve has enough steps, and no other rule applies."""
    judged = curve.judged
    if judged is None or judged.shape is None:
        return None
    shape = judged.shape
    brought = shape.gained_since(shape.at(LAST))
    sentence = (
        f"{judged.name} went from {judged.shown(shape.start)} to {judged.shown(shape.lowest)} at step"
        f" {shape.steps[shape.best]} and ended at {judged.shown(shape.end)}"
    )
    numbers = {
        "start": judged.value(shape.start),
        "best": judged.value(shape.lowest),
        "end": judged.value(shape.end),
        "last_third": brought,
    }
    return Verdict(kind=Kind.HEALTHY, sentence=sentence, numbers=numbers)
