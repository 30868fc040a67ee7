"""What the verdicts on single trials come to: of the best trial, and of most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.analysis.diagnosis.verdict import FAULTS, Kind, Verdict
from orchestrator.analysis.summary.results import SweepResults

MOST = 0.5
"""Share of the trials that could be judged which have a fault in common, for it to be the sweep's."""

FEWEST = 5
"""And so many of them."""

ADVICE: Mapping[Kind, str] = {
    Kind.OVERFITTING: "regularise more (dropout, weight decay), train a smaller model, or get more data",
    Kind.UNDERFITTING: "train a larger model, or regularise less",
    Kind.LR_TOO_HIGH: "search lower learning rates",
    Kind.LR_TOO_LOW: "search higher learning rates",
    Kind.STILL_IMPROVING: "train longer: sweep resume --max-steps",
}
"""What is to be done about it."""


def verdicts(results: SweepResults, said: Mapping[int, Verdict]) -> list[Finding]:
    """One on each fault that most have; and one on the best trial, if there is something else to be done about it."""
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
            sentence=f"the best trial, {trial}: {verdict.kind.words}: {verdict.sentence}",
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
            sentence=f"{kind.words} in {count} of the {len(judged)} trials that are long enough to tell",
            advice=ADVICE[kind],
            numbers={"kind": kind.value, "trials": count, "of": len(judged)},
        )
        for kind, count in counts.most_common()
        if kind in FAULTS and count >= max(FEWEST, MOST * len(judged))
    ]
