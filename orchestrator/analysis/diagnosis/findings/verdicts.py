"""Findings from the verdicts on trials: about the best trial, and about faults that most trials share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.analysis.diagnosis.verdict import FAULTS, Kind, Verdict
from orchestrator.analysis.summary.results import SweepResults

MOST = 0.5
"""A fault is the sweep's if this share of the classified trials has it, and at least FEWEST of them."""

FEWEST = 5

ADVICE: Mapping[Kind, str] = {
    Kind.OVERFITTING: "regularise more (dropout, weight decay), train a smaller model, or get more data",
    Kind.WORSENED: "end trainings earlier, regularise more, or search lower learning rates",
    Kind.UNDERFITTING: "train a larger model, or regularise less",
    Kind.LR_TOO_HIGH: "search lower learning rates",
    Kind.LR_TOO_LOW: "search higher learning rates",
    Kind.STILL_IMPROVING: "train longer: sweep resume --max-steps, or --max-time where time ends trainings",
}
"""What to do about each kind."""


def verdicts(results: SweepResults, said: Mapping[int, Verdict]) -> list[Finding]:
    """A finding about each fault that most trials share, and one about the best trial, if it has another."""
    most = _most(said)
    told = {each.numbers["kind"] for each in most}
    return [*(each for each in _best(results, said) if each.numbers["kind"] not in told), *most]


def _best(results: SweepResults, said: Mapping[int, Verdict]) -> list[Finding]:
    ranked = results.ranked()
    verdict = said.get(ranked[0].trial) if ranked else None
    if verdict is None or verdict.kind not in ADVICE:
        return []
    trial = ranked[0].trial
    return [
        Finding(
            subject="verdicts",
            sentence=f"best trial ({trial}): {verdict.kind.words}: {verdict.sentence}",
            advice=ADVICE[verdict.kind],
            numbers={"trial": trial, "kind": verdict.kind.value, **verdict.numbers},
        )
    ]


def _most(said: Mapping[int, Verdict]) -> list[Finding]:
    judged = [verdict for verdict in said.values() if verdict.kind not in (Kind.TOO_SHORT, Kind.DIVERGED)]
    counts = Counter(verdict.kind for verdict in judged)
    return [
        Finding(
            subject="verdicts",
            sentence=f"{kind.words} in {count} of {len(judged)} trials with enough steps",
            advice=ADVICE[kind],
            numbers={"kind": kind.value, "trials": count, "of": len(judged)},
        )
        for kind, count in counts.most_common()
        if kind in FAULTS and count >= max(FEWEST, MOST * len(judged))
    ]
