"""Follows the curves of running trials and adds a diagnosis to the row of each trial that ends.

The rules are those of `sweep show --diagnosis`, compared with what the trials had reached by then. A curve is kept
until its trial ends; of ended trials, only the reference is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from orchestrator.analysis.diagnosis.classify import classify
from orchestrator.analysis.diagnosis.curve import GrowingCurve
from orchestrator.analysis.diagnosis.curve_metrics import CurveMetrics, choose_curve_metrics
from orchestrator.analysis.diagnosis.diagnose import read_growing_curves
from orchestrator.analysis.diagnosis.reference import ReferenceTracker
from orchestrator.core.journal import Rows
from orchestrator.core.rows import MetricRow, State, TrialRow
from orchestrator.core.trial import Trial
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.spec import Objective

Recorded = tuple[str, str]
"""The kind of a verdict and its sentence, as recorded."""


class LiveDiagnosis:
    """Adds verdicts to the rows of ended trials."""

    def __init__(self, objective: Objective, declared: Sequence[str] = ()) -> None:
        """Start without reports.

        Args:
            objective: The sweep's objective.
            declared: The curves that the trainable declares.
        """
        self._objective = objective
        self._declared = declared
        self._names = CurveMetrics()
        self._known: set[str] = set()  # metrics reported so far
        self._live: dict[int, GrowingCurve] = {}
        self._tracker = ReferenceTracker()
        self._recorded: dict[int, Recorded] = {}  # of ended trials, whose rows may be written again

    def restore(self, paths: SweepPaths, trials: Collection[Trial]) -> None:
        """Load the verdicts and the unfinished curves of a sweep that is resumed.

        Raises:
            RecordsError: The records are damaged.
        """
        names, growing = read_growing_curves(paths, read_sweep_json(paths.info))
        recorded = _recorded(paths)
        for trial in trials:
            curve = growing.get(trial.number)
            if not trial.state.ended or trial.number not in recorded:
                if curve is not None:
                    self._live[trial.number] = curve
                continue
            self._recorded[trial.number] = recorded[trial.number]
            if curve is not None and trial.state is not State.DIVERGED:
                self._tracker.add(curve.curve(names))
        self._names = names
        self._known = {name for name in (names.train, names.validation) if name}

    def diagnosed(self, rows: Rows) -> Rows:
        """The same rows, with verdicts on the trials that have ended."""
        for row in rows.metrics:
            self._follow(row)
        return replace(rows, trials=[self._judged(row) if row.state.ended else row for row in rows.trials])

    def _follow(self, row: MetricRow) -> None:
        metrics, names = row.metrics, self._names
        train, validation = metrics.get(names.train), metrics.get(names.validation)
        if (train is None or validation is None) and not metrics.keys() <= self._known:
            self._rename(metrics)
            names = self._names
            train, validation = metrics.get(names.train), metrics.get(names.validation)
        growing = self._live.get(row.trial)
        if growing is None:
            growing = self._live[row.trial] = GrowingCurve()
        growing.add(row.step, train, validation)

    def _rename(self, metrics: Mapping[str, float]) -> None:
        """Choose the curves again, because there are new metrics."""
        self._known |= metrics.keys()
        before = self._names
        now = self._names = choose_curve_metrics(
            self._known, objective=self._objective.metric, mode=self._objective.mode, declared=self._declared
        )
        if before.train not in ("", now.train) or before.validation not in ("", now.validation):
            self._live.clear()  # the points collected so far belong to another metric

    def _judged(self, row: TrialRow) -> TrialRow:
        growing = self._live.pop(row.trial, None)
        if row.state is State.FAILED:
            return row
        if row.state is State.DIVERGED:
            return replace(row, diagnosis=State.DIVERGED.value, diagnosis_reason=row.reason)
        if growing is not None:
            curve = growing.curve(self._names)
            verdict = classify(curve, self._tracker.reference)[0]
            self._tracker.add(curve)
            self._recorded[row.trial] = (verdict.kind.value, verdict.sentence)
        recorded = self._recorded.get(row.trial)
        return row if recorded is None else replace(row, diagnosis=recorded[0], diagnosis_reason=recorded[1])


def _recorded(paths: SweepPaths) -> dict[int, Recorded]:
    table, names = trials_table(paths), ("trial", "diagnosis", "diagnosis_reason")
    if not {*names} <= {*table.schema.names}:
        return {}
    columns = (table[name].to_pylist() for name in names)
    return {trial: (kind, sentence) for trial, kind, sentence in zip(*columns, strict=True) if kind is not None}
