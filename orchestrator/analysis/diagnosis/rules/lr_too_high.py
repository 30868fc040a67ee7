"""The training curve fluctuates instead of falling, or had to come back from an explosion and got nowhere."""

from __future__ import annotations

import itertools

from orchestrator.analysis.diagnosis.curve import Curve, Series
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.rules.underfitting import way
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

RISES = 0.55
"""All that the curve rose against all that it fell: 0 for a fall without a break, 1 for going nowhere. Set on churn:
trainings in order came to 0.47 while they still fell, those of too high a rate began at 0.62."""

FLUCTUATION = 0.05
"""The fluctuation around the trend against all that the trend moved. Set on churn: where a training in order came to
more, it rose less than RISES."""

OF_ITSELF = 0.01
"""And against the loss itself; and OF_GAIN against what there is to gain, if that is known. Set on churn, where a
training that has all but ended before its first report moves by little else than its fluctuation."""

OF_GAIN = 0.02

SPIKE = 0.5
"""A rise from one report to the next, or the fall from a first report that was as much above untrained models: against
all that there is to gain. Set on churn."""

NOWHERE = 0.5
"""What of the way to the best training loss a trial has come after such a spike, at most. Set on churn."""


def lr_too_high(curve: Curve, reference: Reference | None) -> Verdict | None:
    """RISES and FLUCTUATION, which is no trifle; or a SPIKE, and NOWHERE near what others reached."""
    train = curve.train
    if train is None or train.shape is None:
        return None
    shape = train.shape
    numbers = {"fluctuation": shape.fluctuation, "span": shape.span, "rises": shape.rises}
    if shape.rises >= RISES and shape.fluctuation >= _least(train, reference):
        sentence = (
            f"{train.name} fluctuates by {shape.fluctuation:.2g} around its trend, which moved by {shape.span:.2g} in"
            f" all; from report to report it got worse by {shape.rises:.0%} of what it got better"
        )
        return Verdict(kind=Kind.LR_TOO_HIGH, sentence=sentence, numbers=numbers)
    return None if reference is None else _spike(train, reference, numbers)


def _least(train: Series, reference: Reference | None) -> float:
    """Less fluctuation than this is no sign."""
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
        f"{train.name} was thrown off by {spike:.3g}, where all there is to gain is {gain:.3g}, and ended at"
        f" {train.shown(end)}; another trial reached {train.shown(reference.train)}"
    )
    return Verdict(kind=Kind.LR_TOO_HIGH, sentence=sentence, numbers=numbers | {"spike": spike, "way": come})
