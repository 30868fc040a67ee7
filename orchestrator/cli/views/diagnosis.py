"""`sweep show --diagnosis`: what the curves show, about the sweep and about each trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.analysis.diagnosis.diagnose import Diagnosis
from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.analysis.diagnosis.verdict import FAULTS, Kind, Verdict
from orchestrator.cli.formats import painted
from orchestrator.formatting import count

EXAMPLES = 3
"""Trials of each kind that are shown with their figures."""

_NUMBERS = 12
"""Trials of each kind that are listed by number."""


def diagnosis_text(name: str, found: Diagnosis) -> str:
    """The findings about the sweep, then the trials by what is wrong with them."""
    head = painted(name, None, bold=True)
    if not found.verdicts:
        return "\n\n".join([f"{head}: no trial has reported yet", *_sweep(found.findings)])
    head += f", judged by {found.names} ({found.names.how})"
    groups: dict[Kind, dict[int, Verdict]] = {kind: {} for kind in Kind}
    for trial, verdicts in found.verdicts.items():
        groups[verdicts[0].kind][trial] = verdicts[0]
    blocks = [_group(kind, group) for kind, group in groups.items() if group]
    return "\n\n".join([head, *_sweep(found.findings), *_best(found), "\n".join(blocks)])


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """One line for each finding, with the advice."""
    return [f"{each.sentence}" + (f" → {each.advice}" if each.advice else "") for each in findings]


def _sweep(findings: Sequence[Finding]) -> list[str]:
    return ["\n".join(f"· {line}" for line in finding_lines(findings)) or "no findings about the sweep as a whole"]


def _best(found: Diagnosis) -> list[str]:
    verdicts = found.verdicts.get(found.best, ()) if found.best is not None else ()
    lines = [f"  {each.kind.words}: {each.sentence}" for each in verdicts]
    return ["\n".join([f"the best trial, {found.best}", *lines])] if lines else []


def _group(kind: Kind, group: dict[int, Verdict]) -> str:
    title = painted(kind.words, "yellow" if kind in FAULTS else "green" if kind is not Kind.TOO_SHORT else None)
    numbers = ", ".join(map(str, list(group)[:_NUMBERS])) + (", …" if len(group) > _NUMBERS else "")
    lines = [f"{title}: {count(len(group), 'trial')} ({numbers})"]
    if kind is not Kind.TOO_SHORT:
        lines += [f"  {trial:>5}  {verdict.sentence}" for trial, verdict in list(group.items())[:EXAMPLES]]
    return "\n".join(lines)


def diagnosis_data(found: Diagnosis) -> dict[str, Any]:
    """The diagnosis as data."""
    return {
        "train": found.names.train or None,
        "validation": found.names.validation or None,
        "chosen": found.names.how,
        "best": found.best,
        "reached": _reference_data(found),
        "findings": [finding_data(each) for each in found.findings],
        "trials": [
            {"trial": trial, "verdicts": [_verdict_data(each) for each in verdicts]}
            for trial, verdicts in found.verdicts.items()
        ],
    }


def diagnosis_rows(found: Diagnosis) -> list[dict[str, Any]]:
    """One row for each trial, with its first verdict."""
    return [
        {"trial": trial, "diagnosis": verdicts[0].kind.value, "diagnosis_reason": verdicts[0].sentence}
        for trial, verdicts in found.verdicts.items()
    ]


def finding_data(each: Finding) -> dict[str, Any]:
    """A finding as data."""
    return {
        "subject": each.subject,
        "sentence": each.sentence,
        "advice": each.advice or None,
        "urgent": each.urgent,
        "numbers": dict(each.numbers),
    }


def _reference_data(found: Diagnosis) -> dict[str, float | None] | None:
    """What the best trial reached, in the units and the direction of the metrics."""
    reference, names = found.reference, found.names
    if reference is None:
        return None
    train, validation = (-1 if mode == "max" else 1 for mode in (names.train_mode, names.validation_mode))
    return {
        "start": train * reference.start,
        "train": train * reference.train,
        "validation": None if reference.validation is None else validation * reference.validation,
    }


def _verdict_data(each: Verdict) -> dict[str, Any]:
    return {"kind": each.kind.value, "sentence": each.sentence, "numbers": dict(each.numbers)}
