"""Learning rate too high: the training loss fluctuates instead of falling, or never recovered from a spike."""

from __future__ import annotations

import itertools

from orchestrator.analysis.diagnosis.curve import Curve, Series
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.rules.underfitting import way
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

RISES = 0.55
"""The sum of rises over the sum of falls: 0 for a steady fall, 1 for no progress. Set on churn, where healthy trainings
had at most 0.47 while still falling, and those with too high a rate at least 0.62."""

FLUCTUATION = 0.05
"""The fluctuation relative to the span of the trend. Set on churn, where healthy trainings above it stayed below
RISES."""

OF_ITSELF = 0.01
"""The fluctuation relative to the loss; OF_GAIN: relative to the possible gain, if known. Set on churn, where a
training that has nearly finished before its first report shows little but fluctuation."""

OF_GAIN = 0.02

SPIKE = 0.5
"""A rise from one report to the next, or a fall from a first report above untrained models, relative to the possible
gain. Set on churn."""

NOWHERE = 0.5
"""The most progress towards the best training loss that a trial has made after such a spike. Set on churn."""


def lr_too_high(curve: Curve, reference: Reference | None) -> Verdict | None:
    """Rises above RISES with a relevant fluctuation; or a SPIKE, and progress below NOWHERE."""
    train = curve.train
    if train is None or train.shape is None:
        return None
    shape = train.shape
    numbers = {"fluctuation": shape.fluctuation, "span": shape.span, "rises": shape.rises}
    if shape.rises >= RISES and shape.fluctuation >= _least(train, reference):
        sentence = (
            f"{train.name} fluctuates by {shape.fluctuation:.2g} around a trend that spans {shape.span:.2g};"
            f" its increases add up to {shape.rises:.0%} of its decreases"
        )
        return Verdict(kind=Kind.LR_TOO_HIGH, sentence=sentence, numbers=numbers)
    return None if reference is None else _spike(train, reference, numbers)


def _least(train: Series, reference: Reference | None) -> float:
    """The least fluctuation that counts."""
    assert train.shape is not None
    gain = 0.0 if reference is None else reference.start - reference.train
    return max(FLUCTUATION * train.shape.span, OF_ITSELF * abs(train.shape.lowest), OF_GAIN * gain)


def _spike(train: Series, reference: Reference, numbers: dict[str, float]) -> Verdict | None:
    assert train.shape is not None
    losses, end = train.shape.losses, train.shape.end
    gain = reference.start - reference.train
    first = min(losses[0] - reference.start, losses[0] - losses[1])
    spike = max(first, *(after - before for before, after in itertools.pairwise(losses)))
    come = way(end, reference.start, reference.train)
    if spike < SPIKE * gain or come > NOWHERE:
        return None
    sentence = (
        f"{train.name} spiked by {spike:.3g}, where the possible gain is {gain:.3g}, and ended at"
        f" {train.shown(end)}; another trial reached {train.shown(reference.train)}"
    )
    return Verdict(kind=Kind.LR_TOO_HIGH, sentence=sentence, numbers=numbers | {"spike": spike, "way": come})
