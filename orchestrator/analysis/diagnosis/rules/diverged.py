"""Diverged: a value is not finite, or the training loss ended far above its start."""

from __future__ import annotations

import math

from orchestrator.analysis.diagnosis.curve import Curve, Series
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

FAR = 100.0
"""How far above an untrained model the training loss ended, in multiples of the possible gain. Set on churn, where
learning rates that were merely too high reached 40."""


def diverged(curve: Curve, reference: Reference | None) -> Verdict | None:
    """A value of either curve is not finite, or the training curve ended FAR above the start."""
    for series in (curve.train, curve.validation):
        if series is None:
            continue
        if series.finite:
            continue
        found = zip(series.steps, series.values, strict=True)
        step, value = next((step, value) for step, value in found if not math.isfinite(value))
        sentence = f"{series.name} was {value:g} at step {step}"
        return Verdict(kind=Kind.DIVERGED, sentence=sentence, numbers={"step": step, "value": value})
    return None if curve.train is None or curve.train.shape is None else _far(curve.train, reference)


def _far(train: Series, reference: Reference | None) -> Verdict | None:
    assert train.shape is not None
    start, end = train.shape.start, train.shape.end
    gain = abs(start)
    if reference is not None:
        start, gain = reference.start, reference.start - reference.train
    if end <= start + FAR * gain:
        return None
    sentence = f"{train.name} ended at {train.shown(end)}; untrained models start at {train.shown(start)}"
    return Verdict(
        kind=Kind.DIVERGED, sentence=sentence, numbers={"start": train.value(start), "end": train.value(end)}
    )
