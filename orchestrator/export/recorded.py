"""Reads the records the way experiment trackers need them: trial by trial, with configuration and reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from orchestrator.analysis.summary.overview import objective_of
from orchestrator.analysis.summary.ranking import configs
from orchestrator.core.rows import MetricRow, TrialRow
from orchestrator.records.decode import metric_rows, trial_rows
from orchestrator.records.encode import trial_id
from orchestrator.records.load import metrics_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.records.schema import metric_names

OBJECTIVE = "sweep/objective"
"""The metric that holds a trial's result, because these tools show the last value of a metric, not the best."""


class Recorded:
    """Everything recorded of a sweep so far.

    Attributes:
        name: The sweep's name.
        info: The contents of sweep.json.
        objective: The metric that trials are judged by.
        trials: All trials by number, with searched parameters in their own types.
        metrics: The names of all metrics, that of results included.
    """

    def __init__(self, paths: SweepPaths) -> None:
        """Read the records.

        Raises:
            RecordsError: The records are damaged.
        """
        self.name = paths.name
        self.info = read_sweep_json(paths.info)
        self.objective = objective_of(self.info)
        found = trial_rows(trials_table(paths), {}, paths.trials_table)
        drawn = configs(paths, {trial.trial for trial in found})
        self.trials: list[TrialRow] = [replace(trial, config=drawn.get(trial.trial, {})) for trial in found]
        self._reports = metrics_table(paths).sort_by([("trial", "ascending"), ("step", "ascending")])
        self.metrics = [*metric_names(self._reports.schema), OBJECTIVE]
        lengths = Counter(self._reports["trial"].to_pylist())
        starts = accumulate(lengths.values(), initial=0)
        self._parts = {trial: (at, n) for (trial, n), at in zip(lengths.items(), starts, strict=False)}

    def id(self, trial: TrialRow) -> str:
        """The trial's id, unique among all sweeps."""
        return trial_id(self.name, trial.trial)

    def reports(self, trial: TrialRow) -> list[MetricRow]:
        """The trial's reports, by ascending step."""
        at, length = self._parts.get(trial.trial, (0, 0))
        return metric_rows(self._reports.slice(at, length))

    def result(self, trial: TrialRow, reports: Sequence[MetricRow]) -> list[MetricRow]:
        """An additional report with the trial's result, at its step and time; empty without a result."""
        step = trial.best_step if self.objective.at == "best" else trial.last_step
        return [
            replace(report, metrics={OBJECTIVE: trial.objective})
            for report in reports
            if trial.objective is not None and report.step == step
        ]
