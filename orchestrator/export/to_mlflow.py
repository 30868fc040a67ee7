"""An MLflow store of its own, one SQLite file: the sweep is an experiment, a trial a run.

MLflow would tell its makers that it is used; here it does not.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.core.rows import MetricRow, State, TrialRow
from orchestrator.export.recorded import Recorded

if TYPE_CHECKING:
    from mlflow.entities import Metric

    from orchestrator.records.paths import SweepPaths

STORE = "mlflow.db"
AT_ONCE = 1000
"""So many values MLflow takes in one call."""

STATUS = {
    State.PENDING: "SCHEDULED",
    State.RUNNING: "RUNNING",
    State.FAILED: "FAILED",
    State.CANCELLED: "KILLED",
}
"""MLflow's words; all other states are FINISHED. Ours stands in the tag ``sweep.state``."""

LONGEST_TEXT = 5000
"""Longer values are cut; MLflow refuses them from 6000 characters on."""

_NOT_IN_NAMES = re.compile(r"[^\w\-. /]")


def write(paths: SweepPaths, to: Path, *, final: Path, told: Callable[[int, int], None]) -> None:
    """Write the store; see ``target.Write``."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient
    from mlflow.entities import Param, RunTag

    logging.getLogger("mlflow").setLevel(logging.WARNING)  # not before: importing it sets it
    recorded = Recorded(paths)
    client = MlflowClient(tracking_uri=f"sqlite:///{to.resolve() / STORE}")
    # what somebody adds to a run later, MLflow puts where the experiment says: not where it is at present
    experiment = client.create_experiment(
        recorded.name, artifact_location=(final / "artifacts").as_uri(), tags={"mlflow.note.content": _about(recorded)}
    )
    for done, trial in enumerate(recorded.trials, 1):
        name, begin, end = recorded.id(trial), _milliseconds(trial.started_at), _milliseconds(trial.ended_at)
        run = client.create_run(experiment, start_time=begin, run_name=name).info.run_id
        config = {**recorded.info.spec.get("fixed", {}), **trial.config}
        client.log_batch(
            run,
            params=[Param(_name(key), _text(value)) for key, value in config.items()],
            tags=[RunTag(f"sweep.{key}", _text(value)) for key, value in _facts(trial).items() if value is not None],
        )
        reports = recorded.reports(trial)
        metrics = _metrics([*reports, *recorded.result(trial, reports)])
        for at in range(0, len(metrics), AT_ONCE):
            client.log_batch(run, metrics=metrics[at : at + AT_ONCE])
        status = STATUS.get(trial.state, "FINISHED")
        if trial.state.ended:
            client.set_terminated(run, status, end)
        else:
            client.update_run(run, status)
        told(done, len(recorded.trials))


def _about(recorded: Recorded) -> str:
    """What stands over the runs."""
    aim = f"{recorded.objective.mode} {recorded.objective.metric} ({recorded.objective.at} of a trial)"
    return f"{recorded.info.trainable}, {aim}; begun {recorded.info.created} on {recorded.info.host}"


def _facts(trial: TrialRow) -> dict[str, Any]:
    """What else is known of a trial."""
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


def _metrics(reports: Sequence[MetricRow]) -> list[Metric]:
    from mlflow.entities import Metric

    return [
        Metric(_name(name), value, round(1000 * report.reported_at), report.step)
        for report in reports
        for name, value in report.metrics.items()
    ]


def _name(name: str) -> str:
    """A name without what MLflow has in none."""
    return _NOT_IN_NAMES.sub("_", name)


def _text(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value))[:LONGEST_TEXT]


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
