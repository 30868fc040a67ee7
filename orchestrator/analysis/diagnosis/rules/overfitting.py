"""Training good, validation bad: the validation curve turned while the training curve went on."""

from __future__ import annotations

from orchestrator.analysis.diagnosis.curve import Curve
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.rules.underfitting import WAY, way
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

LOSS = 0.10
"""The generalisation loss at the end: how far the validation curve rose above its best, as a share of that (Prechelt
1998, Early Stopping - But When?, section 2, where 5 % is the middle of what is tried as a criterion to stop). Set on
churn between 0.06, to which trainings came that were in order, and 0.3, where overfitting began."""

RISE = 0.30
"""And as a share of all that the validation curve moved: near 0, a loss rises by 10 % of itself for nothing. Set on
churn between 0.23 and 0.52."""

WENT_ON = 0.02
"""What of its own fall the training curve had before it when the validation curve turned, at least. Set on churn."""


APART = 0.15
"""How much further the training curve came than the validation curve, each on its way to the best that the sweep
reached, where the validation curve did not turn. Set on churn, together with WAY."""


def overfitting(curve: Curve, reference: Reference | None) -> Verdict | None:
    """The validation curve turned; or it stayed behind what others reached, and the training curve did not."""
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
    rise = seen.end - seen.lowest
    if rise > max(RISE * seen.span, LOSS * abs(seen.lowest)) and then - fit.end >= WENT_ON * fit.span:
        worse = f", {rise / abs(seen.lowest):.0%} worse" if seen.lowest else ""
        sentence = (
            f"{validation.name} was best at step {turn}, {validation.shown(seen.lowest)}, and ended at"
            f" {validation.shown(seen.end)}{worse}, while {train.name} went on from {train.shown(then)} to"
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
