"""Event files for TensorBoard: one run per trial, one scalar per metric, and the configurations for its HParams tab.

TensorBoard's own RecordWriter writes them. For 200 trials of 100 reports it takes 1.5 s, TensorBoard's EventFileWriter
3 s, because it starts a thread per file, and torch's SummaryWriter 8 s, which also cannot mark a trial as failed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.analysis.summary.overview import Objective
from orchestrator.core.rows import MetricRow, State, TrialRow
from orchestrator.export.recorded import OBJECTIVE, Recorded

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams.summary_v2 import Domain

    from orchestrator.records.paths import SweepPaths

VERSION = "brain.Event:2"
"""The content of the first record of an event file."""

Values = Mapping[str, bool | float | str]


def write(paths: SweepPaths, to: Path, *, final: Path, told: Callable[[int, int], None]) -> None:
    """Write one directory per trial, and the columns of the HParams tab; see ``target.Write``."""
    from tensorboard.compat.proto.event_pb2 import Event

    recorded = Recorded(paths)
    configs = plain([trial.config for trial in recorded.trials])
    began = min((trial.started_at for trial in recorded.trials if trial.started_at is not None), default=0.0)
    _write(to, [Event(wall_time=began, summary=_columns(configs, recorded.objective, began))], began)
    for done, (trial, config) in enumerate(zip(recorded.trials, configs, strict=True), 1):
        directory = to / recorded.id(trial)
        directory.mkdir()
        at = trial.started_at or began
        hyperparameters = (Event(wall_time=at, summary=each) for each in _session(recorded.id(trial), trial, config))
        reports = recorded.reports(trial)
        _write(directory, [*hyperparameters, *_scalars([*reports, *recorded.result(trial, reports)])], at)
        told(done, len(configs))


def plain(configs: Sequence[Mapping[str, Any]]) -> list[Values]:
    """The configurations with the types of values that the HParams tab supports.

    Each parameter is a boolean, a number or a string in all trials; lists, null and mixed types become JSON.
    """
    columns: dict[str, list[Any]] = {}
    for config in configs:
        for name, value in config.items():
            columns.setdefault(name, []).append(value)
    as_they_are = {
        name
        for name, values in columns.items()
        if any(all(_is(value, kinds) for value in values) for kinds in ((bool,), (int, float), (str,)))
    }
    return [
        {name: value if name in as_they_are else json.dumps(value) for name, value in config.items()}
        for config in configs
    ]


def _is(value: Any, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and isinstance(value, bool) == (bool in kinds)


def _write(directory: Path, events: Iterable[Event], began: float) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    with (directory / f"events.out.tfevents.{int(began)}.sweep").open("wb") as file:
        writer = RecordWriter(file)
        for event in (Event(wall_time=began, file_version=VERSION), *events):
            writer.write(event.SerializeToString())


def _scalars(reports: Iterable[MetricRow]) -> Iterator[Event]:
    """All metrics of all reports, with the steps and times of the reports."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    for report in reports:
        values = [Summary.Value(tag=name, simple_value=value) for name, value in report.metrics.items()]
        yield Event(wall_time=report.reported_at, step=report.step, summary=Summary(value=values))


def _columns(configs: Sequence[Values], objective: Objective, now: float) -> Summary:
    """The columns of the HParams tab: searched parameters with their values, and the objective."""
    from tensorboard.plugins.hparams.summary_v2 import HParam, Metric, hparams_config_pb

    taken: dict[str, list[Any]] = {}
    for config in configs:
        for name, value in config.items():
            taken.setdefault(name, []).append(value)
    parameters = [HParam(name, _domain(values)) for name, values in taken.items()]
    result = Metric(OBJECTIVE, display_name=f"{objective.metric} ({objective.at})")
    summary: Summary = hparams_config_pb(parameters, [result], time_created_secs=now)
    return summary


def _domain(values: list[Any]) -> Domain:
    from tensorboard.plugins.hparams.summary_v2 import Discrete, RealInterval

    if isinstance(values[0], bool | str):
        return Discrete(sorted(set(values)))
    return RealInterval(float(min(values)), float(max(values)))


def _session(name: str, trial: TrialRow, config: Values) -> Iterator[Summary]:
    """The trial's hyperparameters, and its final status."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb

    yield hparams_pb(config, trial_id=name, start_time_secs=trial.started_at or 0.0)
    end = SessionEndInfo(status=_status(trial.state), end_time_secs=trial.ended_at or 0.0)
    about = metadata.create_summary_metadata(HParamsPluginData(session_end_info=end))
    yield Summary(value=[Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=about, tensor=metadata.NULL_TENSOR)])


def _status(state: State) -> int:
    from tensorboard.plugins.hparams import api_pb2

    if not state.ended:
        return int(api_pb2.STATUS_RUNNING)
    failed = state in (State.FAILED, State.CANCELLED)
    return int(api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS)
