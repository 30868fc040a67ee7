"""Overfitting: the validation loss rose again, or stayed high, while the training loss kept falling."""

from __future__ import annotations

from orchestrator.analysis.diagnosis.curve import Curve
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.rules.underfitting import WAY, way
from orchestrator.analysis.diagnosis.rules.worsened import by, turned
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

WENT_ON = 0.02
"""The least share of the training loss's fall that came after the validation loss turned. Set on churn."""

OF_ITSELF = 0.10
"""The least share of itself by which the training loss fell then, where it had fallen from far above."""

APART = 0.15
"""The least lead of training over validation, as progress towards the sweep's best, where the validation loss did not
turn. Set on churn, together with WAY."""


def overfitting(curve: Curve, reference: Reference | None) -> Verdict | None:
    """The validation curve turned; or it stayed behind the reference while the training curve did not."""
    train, validation = curve.train, curve.validation
    if train is None or validation is None or train.shape is None or validation.shape is None:
        return None
    fit, seen = train.shape, validation.shape
    turn = seen.steps[seen.best]
    then = fit.value_at(turn)
    numbers = {
        "turned_at": turn,
        "validation_best": validation.value(seen.lowest),
        "validation_end": validation.value(seen.end),
        "train_then": train.value(then),
        "train_end": train.value(fit.end),
        "gap": seen.end - fit.end,
    }
    if turned(seen) and then - fit.end >= min(WENT_ON * fit.span, max(OF_ITSELF * abs(then), fit.fluctuation)) > 0:
        sentence = (
            f"{validation.name} was best at step {turn}, {validation.shown(seen.lowest)}, and ended at"
            f" {validation.shown(seen.end)}{by(seen)}, while {train.name} went from {train.shown(then)} to"
            f" {train.shown(fit.end)}"
        )
        return Verdict(kind=Kind.OVERFITTING, sentence=sentence, numbers=numbers)
    if reference is None or reference.validation is None:
        return None
    fits = way(fit.end, reference.start, reference.train)
    generalises = way(seen.end, reference.start, reference.validation)
    if fits < WAY or generalises > WAY or fits - generalises < APART:
        return None
    sentence = (
        f"{train.name} ended at {train.shown(fit.end)} and {validation.name} at {validation.shown(seen.end)}; another"
        f" trial reached {validation.shown(reference.validation)} with a {train.name} of {train.shown(reference.train)}"
    )
    return Verdict(kind=Kind.OVERFITTING, sentence=sentence, numbers=numbers)
