"""Failures and divergence: how many, why, and where in the space."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.analysis.diagnosis.findings.region import Region, region
from orchestrator.analysis.summary.results import SweepResults, TrialResult
from orchestrator.core.rows import GPU_OUT_OF_MEMORY, State

SHOWN = 3
"""The most causes named in the sentence."""

MANY = 0.25
"""Divergence is urgent from this share of trials."""

_MESSAGE = 60
"""The most characters of a message."""


def failures(results: SweepResults) -> list[Finding]:
    """One finding about all failures, and one about divergence."""
    failed = [each for each in results.trials if each.state is State.FAILED]
    causes: dict[str, list[TrialResult]] = {}
    for each in failed:
        causes.setdefault(each.cause, []).append(each)
    groups = sorted(causes.values(), key=lambda group: (-len(group), group[0].trial))
    spared = [each for each in results.trials if each.state in (State.COMPLETED, State.STOPPED, State.DIVERGED)]
    found = []
    if failed:
        parts = [_cause(results, group, spared) for group in groups[:SHOWN]]
        if len(groups) > SHOWN:
            parts.append(f"and {len(groups) - SHOWN} more")
        plural = "" if len(failed) == 1 else "s"
        head = f"{len(failed)} failure{plural}, {len(groups)} cause{'' if len(groups) == 1 else 's'}"
        found.append(
            Finding(
                subject="failures",
                sentence=f"{head}: {'; '.join(parts)}",
                advice="sweep show --failures shows the tracebacks",
                numbers={"failures": len(failed), "causes": [[each.trial for each in group] for group in groups]},
            )
        )
    diverged = [each for each in results.trials if each.state is State.DIVERGED]
    if diverged:
        found.append(_divergence(results, diverged))
    return found


def failure_region(results: SweepResults, trials: Sequence[int]) -> str:
    """Where in the space failures of one cause lie, in words; "" if no single parameter explains them."""
    hit = [each for each in results.trials if each.trial in set(trials)]
    spared = [each for each in results.trials if each.state in (State.COMPLETED, State.STOPPED, State.DIVERGED)]
    found = _region(results, hit, spared)
    return "" if found is None else _words(found)


def _cause(results: SweepResults, group: Sequence[TrialResult], spared: Sequence[TrialResult]) -> str:
    found = _region(results, group, spared)
    return f"{_name(group[0])} ({len(group)})" + (f" {_words(found)}" if found is not None else "")


def _name(failed: TrialResult) -> str:
    if failed.error == GPU_OUT_OF_MEMORY:
        return "out of GPU memory"
    if failed.error in ("MemoryError", "OutOfMemoryError", "OutOfMemory"):
        return "out of memory"
    message = " ".join(failed.message.split())
    return f"{failed.error}: {message if len(message) <= _MESSAGE else message[: _MESSAGE - 1] + '…'}"


def _divergence(results: SweepResults, diverged: Sequence[TrialResult]) -> Finding:
    spared = [each for each in results.trials if each.value is not None]
    found = _region(results, diverged, spared)
    sentence = f"{len(diverged)} of {len(diverged) + len(spared)} trials diverged"
    if found is None:
        return Finding(subject="divergence", sentence=sentence, urgent=False, numbers={"diverged": len(diverged)})
    return Finding(
        subject="divergence",
        sentence=f"{sentence}, {_words(found)}",
        advice=f"narrow the range of {found.parameter}",
        numbers={"diverged": len(diverged), "parameter": found.parameter, "inside": found.inside, "hits": found.hits},
        urgent=len(diverged) >= MANY * (len(diverged) + len(spared)),
    )


def _region(results: SweepResults, hit: Sequence[TrialResult], spared: Sequence[TrialResult]) -> Region | None:
    return region(results.space, [each.config for each in hit], [each.config for each in spared])


def _words(found: Region) -> str:
    if found.everywhere:
        return f"exactly where {found.where}"
    return f"where {found.where} ({found.hits} of the {found.inside} trials there)"
