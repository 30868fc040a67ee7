"""Applies the rules to a trial's curve and sorts the verdicts, the worst first."""

from __future__ import annotations

from orchestrator.analysis.diagnosis.curve import FEWEST, Curve
from orchestrator.analysis.diagnosis.reference import Reference
from orchestrator.analysis.diagnosis.rules.diverged import diverged
from orchestrator.analysis.diagnosis.rules.healthy import healthy
from orchestrator.analysis.diagnosis.rules.lr_too_high import lr_too_high
from orchestrator.analysis.diagnosis.rules.lr_too_low import lr_too_low
from orchestrator.analysis.diagnosis.rules.overfitting import overfitting
from orchestrator.analysis.diagnosis.rules.plateaued import plateaued
from orchestrator.analysis.diagnosis.rules.still_improving import still_improving
from orchestrator.analysis.diagnosis.rules.underfitting import underfitting
from orchestrator.analysis.diagnosis.rules.worsened import worsened
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict

BAD_FITS = (lr_too_high, lr_too_low, underfitting)
"""Reasons why the training loss stayed high. Only the first that applies is reported; it implies the others."""

ENDS = (still_improving, plateaued, healthy)
"""How a training ended; exactly one applies."""

_TOO_SHORT = {
    reports: Verdict(
        kind=Kind.TOO_SHORT,
        sentence=f"{reports} report{'' if reports == 1 else 's'}; at least {FEWEST} are needed",
        numbers={"reports": reports},
    )
    for reports in range(FEWEST)
}


def classify(curve: Curve, reference: Reference | None = None) -> tuple[Verdict, ...]:
    """Classify a curve: every fault that it shows, and how the training ended. The first is the main verdict.

    Args:
        curve: The curve of a trial, complete or so far.
        reference: What the sweep's trials reached; rules that need it find nothing without it.
    """
    beyond = diverged(curve, reference)
    if beyond is not None:
        return (beyond,)
    if curve.judged is None or curve.judged.shape is None:
        return (_TOO_SHORT[min(curve.reports, FEWEST - 1)],)
    found = [
        next((verdict for rule in BAD_FITS if (verdict := rule(curve, reference)) is not None), None),
        overfitting(curve, reference),
    ]
    if not any(found):
        found.append(worsened(curve, reference))
    found.append(next((verdict for rule in ENDS if (verdict := rule(curve, reference)) is not None), None))
    order = list(Kind)
    return tuple(sorted((each for each in found if each is not None), key=lambda each: order.index(each.kind)))


def diverged_verdict(reason: str) -> Verdict:
    """The verdict on a trial that the sweep ended as diverged, whatever its curves show."""
    return Verdict(kind=Kind.DIVERGED, sentence=reason)
