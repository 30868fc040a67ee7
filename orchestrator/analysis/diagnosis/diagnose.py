"""Diagnoses a sweep from its records: each trial, and the sweep as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.analysis.diagnosis.classify import classify, diverged_verdict
from orchestrator.analysis.diagnosis.curve import Curve, GrowingCurve
from orchestrator.analysis.diagnosis.curve_metrics import CurveMetrics, choose_curve_metrics
from orchestrator.analysis.diagnosis.findings.failures import failures
from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.analysis.diagnosis.findings.noise import noise
from orchestrator.analysis.diagnosis.findings.rungs import rungs
from orchestrator.analysis.diagnosis.findings.search_space import bounds, budget
from orchestrator.analysis.diagnosis.findings.verdicts import verdicts
from orchestrator.analysis.diagnosis.reference import Reference, ReferenceTracker
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict
from orchestrator.analysis.summary.overview import objective_of
from orchestrator.analysis.summary.results import SweepResults, read_results
from orchestrator.core.rows import GPU_MEMORY, GPU_UTILISATION, State
from orchestrator.records.load import metrics_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.records.schema import metric_names

FIRST_PAGE = 3
"""The most findings shown after a launch and in `sweep show`."""


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """The diagnosis of a sweep and its trials.

    Attributes:
        names: The metrics used as curves.
        reference: What the trials reached; None if too few made progress.
        best: The best trial; None if no trial has a result.
        verdicts: For each trial that has reported and not failed, the worst verdict first.
        findings: Findings about the sweep, the most important first.
    """

    names: CurveMetrics
    reference: Reference | None
    best: int | None
    verdicts: Mapping[int, tuple[Verdict, ...]]
    findings: Sequence[Finding]


def diagnose(paths: SweepPaths, info: SweepInfo) -> Diagnosis:
    """Classify all curves again, each against what the whole sweep reached.

    Raises:
        RecordsError: The records are damaged.
    """
    results = read_results(paths, info)
    names, curves = read_curves(paths, info)
    diverged = {each.trial: each for each in results.trials if each.state is State.DIVERGED}
    failed = {each.trial for each in results.trials if each.state is State.FAILED}
    tracker = ReferenceTracker()
    for trial, curve in curves.items():
        if trial not in diverged and trial not in failed:
            tracker.add(curve)
    said: dict[int, tuple[Verdict, ...]] = {trial: (diverged_verdict(each.reason),) for trial, each in diverged.items()}
    for trial, curve in curves.items():
        if trial not in failed and trial not in diverged:
            said[trial] = classify(curve, tracker.reference)
    return Diagnosis(
        names=names,
        reference=tracker.reference,
        best=next((each.trial for each in results.ranked()), None),
        verdicts=dict(sorted(said.items())),
        findings=_findings(results, {trial: each[0] for trial, each in said.items()}),
    )


def urgent_findings(paths: SweepPaths, info: SweepInfo) -> list[Finding]:
    """The most urgent findings, from the recorded verdicts, without reading any curve.

    Raises:
        RecordsError: The records are damaged.
    """
    results = read_results(paths, info)
    recorded = {
        each.trial: Verdict(kind=Kind(each.diagnosis), sentence=each.diagnosis_reason)
        for each in results.trials
        if each.diagnosis in set(Kind)
    }
    return [each for each in _findings(results, recorded) if each.urgent][:FIRST_PAGE]


def read_curves(paths: SweepPaths, info: SweepInfo) -> tuple[CurveMetrics, dict[int, Curve]]:
    """The curves of all trials that have reported, and the metrics used for them.

    Raises:
        RecordsError: The records are damaged.
    """
    names, growing = read_growing_curves(paths, info)
    return names, {trial: each.curve(names) for trial, each in growing.items()}


def read_growing_curves(paths: SweepPaths, info: SweepInfo) -> tuple[CurveMetrics, dict[int, GrowingCurve]]:
    """The same, as curves to which reports can be added.

    Raises:
        RecordsError: The records are damaged.
    """
    table = metrics_table(paths)
    own = [name for name in metric_names(table.schema) if name not in (GPU_MEMORY, GPU_UTILISATION)]
    objective = objective_of(info)
    names = choose_curve_metrics(set(own), objective=objective.metric, mode=objective.mode, declared=info.curves)

    def column(name: str) -> list[Any]:
        return list(table[name].to_pylist()) if name in own else [None] * table.num_rows

    growing: dict[int, GrowingCurve] = {}
    columns = (table["trial"].to_pylist(), table["step"].to_pylist(), column(names.train), column(names.validation))
    for trial, step, train, validation in zip(*columns, strict=True):
        if trial not in growing:
            growing[trial] = GrowingCurve()
        growing[trial].add(step, train, validation)
    return names, growing


def _findings(results: SweepResults, said: Mapping[int, Verdict]) -> list[Finding]:
    """All findings, urgent ones first, then in this order."""
    found = [
        *failures(results),
        *bounds(results),
        *noise(results),
        *verdicts(results, said),
        *budget(results),
        *rungs(results),
    ]
    return sorted(found, key=lambda each: not each.urgent)
