"""Exports to a new MLflow store, one SQLite file: the sweep becomes an experiment, each trial a run.

Metrics whose names MLflow rejects get others; the experiment's tags ``sweep.metric.…`` say which. MLflow's telemetry is
disabled.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.local.home import ensure_home
from orchestrator.core.rows import MetricRow, State, TrialRow
from orchestrator.export.mlflow_names import LONGEST, mlflow_names
from orchestrator.export.recorded import Recorded
from orchestrator.spec.recorded_spec import given_values

if TYPE_CHECKING:
    from mlflow.entities import Metric

    from orchestrator.records.paths import SweepPaths

STORE = "mlflow.db"
AT_ONCE = 1000
"""The most metric values that MLflow accepts in one call."""

STATUS = {
    State.PENDING: "SCHEDULED",
    State.RUNNING: "RUNNING",
    State.PAUSED: "SCHEDULED",
    State.FAILED: "FAILED",
    State.CANCELLED: "KILLED",
}
"""MLflow's status for each state; all others are FINISHED. The tag ``sweep.state`` has our state."""

LONGEST_TEXT = 5000
"""Longer values are truncated; MLflow rejects more than 6000 characters."""


def write(paths: SweepPaths, to: Path, *, final: Path, told: Callable[[int, int], None]) -> None:
    """Write the store; see ``target.Write``."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    ensure_home()  # MLflow asks where it is as it is imported
    from mlflow import MlflowClient
    from mlflow.entities import Param, RunTag

    logging.getLogger("mlflow").setLevel(logging.WARNING)  # after the import, which sets the level
    recorded = Recorded(paths)
    client = MlflowClient(tracking_uri=f"sqlite:///{to.resolve() / STORE}")
    # MLflow stores later artifacts at this location, so it must be the final path, not the current one
    names = mlflow_names(recorded.metrics)
    renamed = {f"sweep.metric.{new}"[:LONGEST]: _text(name) for name, new in names.items() if name != new}
    experiment = client.create_experiment(
        recorded.name,
        artifact_location=(final / "artifacts").as_uri(),
        tags={"mlflow.note.content": _about(recorded), **renamed},
    )
    given = given_values(recorded.info.spec)
    for done, trial in enumerate(recorded.trials, 1):
        name, begin, end = recorded.id(trial), _milliseconds(trial.started_at), _milliseconds(trial.ended_at)
        run = client.create_run(experiment, start_time=begin, run_name=name).info.run_id
        config = given(trial.config)
        client.log_batch(
            run,
            params=[Param(key[:LONGEST], _text(value)) for key, value in config.items()],
            tags=[RunTag(f"sweep.{key}", _text(value)) for key, value in _facts(trial).items() if value is not None],
        )
        reports = recorded.reports(trial)
        metrics = _metrics([*reports, *recorded.result(trial, reports)], names)
        for at in range(0, len(metrics), AT_ONCE):
            client.log_batch(run, metrics=metrics[at : at + AT_ONCE])
        status = STATUS.get(trial.state, "FINISHED")
        if trial.state.ended:
            client.set_terminated(run, status, end)
        else:
            client.update_run(run, status)
        told(done, len(recorded.trials))


def _about(recorded: Recorded) -> str:
    """The description of the experiment."""
    aim = f"{recorded.objective.mode} {recorded.objective.metric} ({recorded.objective.at} of a trial)"
    return f"{recorded.info.trainable}, {aim}; started {recorded.info.created} on {recorded.info.host}"


def _facts(trial: TrialRow) -> dict[str, Any]:
    """Other facts about a trial, stored as tags."""
    return {
        "trial": trial.trial,
        "state": trial.state.value,
        "reason": trial.reason,
        "origin": trial.origin.value,
        "seed": trial.seed,
        "attempts": trial.attempts,
        "node": trial.node,
        "error": trial.failure and f"{trial.failure.type}: {trial.failure.message}",
    }


def _metrics(reports: Sequence[MetricRow], names: Mapping[str, str]) -> list[Metric]:
    from mlflow.entities import Metric

    return [
        Metric(names[name], value, round(1000 * report.reported_at), report.step)
        for report in reports
        for name, value in report.metrics.items()
    ]


def _text(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value))[:LONGEST_TEXT]


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
