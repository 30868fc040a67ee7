"""Too many dimensions for so few trials."""

from __future__ import annotations

from orchestrator.analysis.diagnosis.evidence import Evidence
from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.core.plan import TRIALS_PER_DIMENSION


def budget(evidence: Evidence) -> list[Finding]:
    """Fewer than TRIALS_PER_DIMENSION trials a searched parameter, as `sweep plan` has it."""
    trials, dimensions = max(len(evidence.outcomes), evidence.planned), len(evidence.space)
    if evidence.method in ("grid", "list", "") or trials >= TRIALS_PER_DIMENSION * dimensions:
        return []
    return [
        Finding(
            subject="budget",
            sentence=f"{trials} trials are few for {dimensions} searched parameters",
            advice=f"fix all but {max(1, trials // TRIALS_PER_DIMENSION)} of them, or give it at least"
            f" {TRIALS_PER_DIMENSION * dimensions} trials",
            numbers={"trials": trials, "parameters": dimensions},
            urgent=False,  # `sweep plan` has said it
        )
    ]
