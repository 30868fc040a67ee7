"""Exports are read back by what they are for: pandas, TensorBoard's own reader, MLflow's own client."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.summary.ranking import configs
from orchestrator.core.rows import MetricRow
from orchestrator.errors import UserError
from orchestrator.export import target
from orchestrator.export.mlflow_names import LONGEST, mlflow_names
from orchestrator.export.target import Target, export
from orchestrator.export.to_tensorboard import plain
from orchestrator.records.encode import metrics_table
from orchestrator.records.extra import widened
from orchestrator.records.load import Sweep
from orchestrator.records.parquet_log import ParquetLog
from orchestrator.records.paths import SweepPaths
from orchestrator.records.schema import metric_names, metrics_schema
from tests.analysis.watch.growing import Growing
from tests.cli.recorded import record

# MLflow's own, of its SQLAlchemy.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    """A sweep of 12 trials, of which some diverged and some failed, and one was cut off."""
    return record(tmp_path_factory.mktemp("results"), halt_after=11)


@pytest.fixture(scope="module")
def recorded(paths: SweepPaths) -> Sweep:
    return Sweep(paths)


@pytest.fixture(scope="module")
def exports(paths: SweepPaths, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sweep in each of the forms, in a directory called like its target."""
    directory = tmp_path_factory.mktemp("exports")
    for each in Target:
        export(paths, each, directory / each)
    return directory


class TestCsv:
    def test_every_number_comes_back(self, exports: Path, recorded: Sweep) -> None:
        trials = pd.read_csv(exports / "csv" / "trials.csv", parse_dates=["started_at", "ended_at"])
        metrics = pd.read_csv(exports / "csv" / "metrics.csv", parse_dates=["reported_at"])
        events = pd.read_csv(exports / "csv" / "events.csv")
        columns = ["trial", "state", "objective", "config.lr", "config.sizes", "started_at", "train_s", "reason"]
        pd.testing.assert_frame_equal(trials[columns], recorded.trials[columns], check_dtype=False)
        pd.testing.assert_frame_equal(metrics, recorded.metrics, check_dtype=False)
        assert [json.loads(text) for text in trials["gpu_ids"]] == [[]] * len(trials)
        assert events["event"].tolist() == recorded.events["event"].tolist()


class TestTensorBoard:
    def test_every_report_is_a_scalar(self, exports: Path, recorded: Sweep) -> None:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        for trial, own in recorded.metrics.groupby("trial"):
            run = EventAccumulator(str(exports / "tensorboard" / f"made-up-{trial}"), size_guidance={"scalars": 0})
            run.Reload()
            read = pd.DataFrame(run.Scalars("loss"))
            assert read["step"].tolist() == own["step"].tolist()
            assert read["wall_time"].tolist() == pytest.approx([at.timestamp() for at in own["reported_at"]])
            assert read["value"].tolist() == pytest.approx(own["loss"].tolist(), nan_ok=True)

    def test_trials_can_be_compared_by_their_hyperparameters(self, exports: Path, recorded: Sweep) -> None:
        from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
        from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
        from tensorboard.context import RequestContext
        from tensorboard.plugins.base_plugin import TBContext
        from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups

        multiplexer = EventMultiplexer().AddRunsFromDirectory(str(exports / "tensorboard"))
        multiplexer.Reload()
        provider = MultiplexerDataProvider(multiplexer, str(exports))
        context, request = backend_context.Context(TBContext(data_provider=provider)), RequestContext()
        asked = api_pb2.ListSessionGroupsRequest(
            allowed_statuses=[api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE],
            slice_size=100,
            col_params=[
                api_pb2.ColParams(metric=api_pb2.MetricName(tag="sweep/objective"), order=api_pb2.ORDER_ASC),
            ],
        )
        groups = list_session_groups.Handler(request, context, "", asked).run().session_groups
        assert len(groups) == len(recorded.trials)
        best = recorded.trials.nsmallest(1, "objective").iloc[0]
        first = next(group for group in groups if group.metric_values)
        assert first.name == best["trial_id"]
        assert first.metric_values[0].value == pytest.approx(best["objective"])
        assert first.metric_values[0].training_step == best["best_step"]
        assert first.hparams["lr"].number_value == best["config.lr"]
        assert first.hparams["sizes"].string_value == best["config.sizes"]
        failed = {group.name for group in groups if group.sessions[0].status == api_pb2.STATUS_FAILURE}
        assert failed == set(recorded.trials.query("state in ('failed', 'cancelled')")["trial_id"])

    def test_a_parameter_is_of_one_kind(self) -> None:
        configs = [{"a": 1, "b": 1, "c": True, "d": [1], "e": None}, {"a": 2.5, "b": "x", "c": False}]
        assert plain(configs) == [
            {"a": 1, "b": "1", "c": True, "d": "[1]", "e": "null"},
            {"a": 2.5, "b": '"x"', "c": False},
        ]


class TestMLflow:
    def test_every_trial_is_a_run(self, exports: Path, paths: SweepPaths, recorded: Sweep) -> None:
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=f"sqlite:///{exports}/mlflow/mlflow.db")
        experiment = client.get_experiment_by_name("made-up")
        assert experiment is not None
        assert Path(experiment.artifact_location.removeprefix("file://")).parent == exports / "mlflow"
        found = client.search_runs([experiment.experiment_id], order_by=["metrics.`sweep/objective` ASC"])
        best = recorded.trials.nsmallest(1, "objective").iloc[0]
        assert found[0].info.run_name == best["trial_id"]
        assert found[0].data.metrics["sweep/objective"] == best["objective"]
        runs = {run.info.run_name: run for run in found}
        words = {"stopped": "FINISHED", "diverged": "FINISHED", "failed": "FAILED", "cancelled": "KILLED"}
        drawn = configs(paths, set(recorded.trials["trial"]))
        for row in recorded.trials.itertuples():
            run = runs[row.trial_id]
            assert run.info.status == words[row.state]
            assert run.info.start_time == round(row.started_at.timestamp() * 1000)
            assert run.data.tags["sweep.state"] == row.state
            assert run.data.params["lr"] == repr(drawn[row.trial]["lr"])
            assert json.loads(run.data.params["sizes"]) == drawn[row.trial]["sizes"]
            assert run.data.params["epochs"] == "9"
            own = recorded.metrics[recorded.metrics["trial"] == row.trial]
            history = client.get_metric_history(run.info.run_id, "loss")
            assert [metric.step for metric in history] == own["step"].tolist()
            assert [metric.value for metric in history] == pytest.approx(own["loss"].tolist(), nan_ok=True)


@pytest.mark.parametrize("kind", [Target.CSV, Target.TENSORBOARD])
def test_a_sweep_that_has_just_begun(tmp_path: Path, kind: Target) -> None:
    with Growing(tmp_path) as growing:
        growing.begin()
        export(growing.paths, kind, tmp_path / "it")
    assert any((tmp_path / "it").iterdir())


@pytest.mark.parametrize("kind", [Target.CSV, Target.TENSORBOARD])
def test_nothing_is_overwritten(paths: SweepPaths, tmp_path: Path, kind: Target) -> None:
    to = tmp_path / "there" / "it"
    to.mkdir(parents=True)  # an empty one is nothing
    export(paths, kind, to)
    before = sorted(to.rglob("*"))
    with pytest.raises(UserError, match="already exists"):
        export(paths, kind, to)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="already exists"):
        export(paths, kind, tmp_path / "file")
    assert sorted(to.rglob("*")) == before
    assert [path.name for path in to.parent.iterdir()] == ["it"]


def test_of_an_export_that_breaks_off_nothing_stays(
    paths: SweepPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.csv.write_csv", full)
    with pytest.raises(UserError, match="it: No space left on device"):
        export(paths, Target.CSV, tmp_path / "it")
    assert list(tmp_path.iterdir()) == []


ODD = [
    "/loss", "val/", "a//b", "../up", "a/../b", ".", "/", "..x",
    "mAP@50", "top-5 acc (%)", "Δ", "acc@1", "acc#1", "acc_1", "a\n"
]  # fmt: skip


def test_whatever_metrics_are_called_mlflow_has_a_series_of_each(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    paths = record(tmp_path / "results")
    log = ParquetLog(paths.metrics, metrics_schema(()))
    schema = metrics_schema([*metric_names(log.schema), *ODD])
    log.rewrite(schema, lambda rows: widened(rows, schema))
    values = {name: float(number) for number, name in enumerate(ODD)}
    row = MetricRow(trial=0, attempt=1, step=10**6, train_s=1.0, reported_at=1.0, metrics=values)
    log.append(metrics_table([row], schema, paths.name))
    log.write()
    for each in (Target.MLFLOW, Target.TENSORBOARD, Target.CSV):
        export(paths, each, tmp_path / each)

    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow/mlflow.db")
    experiment = client.get_experiment_by_name(paths.name)
    (run,) = client.search_runs([experiment.experiment_id], "tags.`sweep.trial` = '0'")
    renamed = {key.removeprefix("sweep.metric."): name for key, name in experiment.tags.items() if "metric." in key}
    read = {renamed.get(name, name): value for name, value in run.data.metrics.items()}
    assert {name: read[name] for name in ODD} == values
    assert run.data.metrics["acc_1"] == values["acc_1"]
    assert sorted(renamed) == [
        "_", "__/up", "__2", "__x", "a/__/b", "a/b", "a_",
        "acc_1_2", "acc_1_3", "loss_2", "mAP_50", "top-5 acc ___", "val"
    ]  # fmt: skip


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=300) | st.text("./ab@#", max_size=6)))
def test_names_that_mlflow_accepts(names: list[str]) -> None:
    from mlflow.utils.validation import _validate_metric_name

    found = mlflow_names(names)
    assert found.keys() == set(names)
    assert len(set(found.values())) == len(found)
    for name, new in found.items():
        _validate_metric_name(new)
        assert 0 < len(new) <= LONGEST
        assert mlflow_names([new])[new] == new
        assert new == name or mlflow_names([name])[name] != name


@pytest.mark.parametrize("kind", [Target.TENSORBOARD, Target.MLFLOW])
def test_a_missing_extra_is_one_sentence(
    paths: SweepPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Target
) -> None:
    monkeypatch.setattr(target, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=rf"requires {kind}: pip install 'sweep-orchestrator\[{kind}\]'$"):
        export(paths, kind, tmp_path / "it")
    assert list(tmp_path.iterdir()) == []
