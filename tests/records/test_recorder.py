"""The recorder: columns, order, write intervals, repetitions, and consistent records after a crash at any point."""

from __future__ import annotations

import itertools
import os
import random
import signal
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.rows import EventRow, MetricRow, State, TrialRow
from orchestrator.errors import RecordsError
from orchestrator.records import recorder as recorder_module
from orchestrator.records.decode import event_rows, metric_rows
from orchestrator.records.load import events_table, metrics_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.recorder import Recorder
from tests.records.failing_disk import FailingDisk
from tests.records.writer import STEPS, open_recorder, record_trial, start_writer


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def report(trial: int, step: int, **metrics: float) -> MetricRow:
    return MetricRow(trial=trial, attempt=1, step=step, train_s=0.0, reported_at=0.0, metrics=metrics)


def test_a_metric_that_appears_later_gets_its_column(paths: SweepPaths) -> None:
    with Recorder(paths, sweep="churn", parameters={}, metrics=["val_loss"]) as recorder:
        assert list(pd.read_parquet(paths.metrics).columns)[6:] == ["val_loss", "extra"]
        recorder.metrics([report(0, 1, loss=1.0), report(0, 2, acc=0.5, loss=float("inf"))])
        recorder.flush()
        recorder.metrics([report(0, 3, late=7.0, acc=float("nan"))])
    with Recorder(paths, sweep="churn", parameters={}, metrics=["other"]) as recorder:
        recorder.metrics([report(0, 4, other=8.0)])
    table = metrics_table(paths)
    assert str(table["acc"].to_pylist()) == "[None, 0.5, nan, None]"
    assert table["loss"].to_pylist() == [1.0, float("inf"), None, None]
    assert table["late"].to_pylist() == [None, None, 7.0, None]
    assert table["other"].to_pylist() == [None, None, None, 8.0]
    frame = pd.read_parquet(paths.metrics)
    assert list(frame.columns)[6:] == ["val_loss", "loss", "acc", "late", "other", "extra"]
    assert frame["extra"].isna().all()


def test_metrics_that_come_after_a_file_is_sealed_go_to_extra_and_are_unfolded(paths: SweepPaths) -> None:
    with Recorder(paths, sweep="churn", parameters={}, seal_rows=2) as recorder:
        recorder.metrics([report(0, step, loss=1.0) for step in (1, 2)])
        recorder.flush()
        recorder.metrics([report(0, step, loss=1.0, full=float(step)) for step in (3, 4)])  # the first file is full
        recorder.flush()
        recorder.metrics([report(0, 5, loss=1.0, late=7.0), report(0, 6, late=float("nan"))])
    assert pd.read_parquet(paths.metrics)["extra"].dropna().map(dict).map(str).tolist() == [
        "{'late': 7.0}",
        "{'late': nan}",
    ]
    table = metrics_table(paths)
    assert table.schema.names[6:] == ["loss", "full", "late"]
    assert table["full"].to_pylist() == [None, None, 3.0, 4.0, None, None]
    assert str(table["late"].to_pylist()) == "[None, None, None, None, 7.0, nan]"
    assert str(metrics_table(paths, ["step", "late"]).to_pydict()) == str(table.select(["step", "late"]).to_pydict())
    assert metrics_table(paths, ["step", "nothing"]).schema.names == ["step"]
    assert str([row.metrics for row in metric_rows(table)][2:]) == (
        "[{'loss': 1.0, 'full': 3.0}, {'loss': 1.0, 'full': 4.0}, {'loss': 1.0, 'late': 7.0}, {'late': nan}]"
    )


def test_what_was_in_extra_moves_into_the_column(paths: SweepPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a sweep of an older version, or of very many metrics, that is resumed."""
    with monkeypatch.context() as few:
        few.setattr(recorder_module, "COLUMNS", 1)
        with Recorder(paths, sweep="churn", parameters={}) as recorder:
            recorder.metrics([report(0, 1, loss=1.0, a=2.0, b=3.0), report(0, 2, loss=1.0)])
    assert pd.read_parquet(paths.metrics)["extra"].map(bool).tolist() == [True, False]
    with Recorder(paths, sweep="churn", parameters={}) as recorder:
        recorder.metrics([report(0, 3, a=4.0)])
    frame = pd.read_parquet(paths.metrics)
    assert str(frame["a"].tolist()) == "[2.0, nan, 4.0]"
    assert frame["extra"].tolist() == [[("b", 3.0)], None, None]
    assert metrics_table(paths)["b"].to_pylist() == [3.0, None, None]


PARTS = st.lists(
    st.tuples(
        st.integers(0, 2),  # trial
        st.booleans(),  # the next step, or the same
        st.dictionaries(st.sampled_from(["loss", "acc", "late"]), st.sampled_from([1.0, 2.0]), min_size=1),
        st.sampled_from(["buffer", "flush", "refuse", "reopen"]),
    ),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(PARTS)
def test_reports_of_one_step_are_one_row_whenever_they_come(
    parts: list[tuple[int, bool, dict[str, float], str]],
) -> None:
    expected: dict[tuple[int, int], dict[str, float]] = {}
    steps = {0: 0, 1: 0, 2: 0}
    with tempfile.TemporaryDirectory() as name:
        paths, disk = SweepPaths(Path(name)), FailingDisk(lambda count: False)
        recorder = Recorder(paths, sweep="churn", parameters={}, metrics=["loss"], disk=disk)
        for trial, further, metrics, then in parts:
            steps[trial] += further
            row = expected.setdefault((trial, steps[trial]), {})
            recorder.metrics([report(trial, steps[trial], **metrics)])
            row.update({name: value for name, value in metrics.items() if name not in row})
            if then == "flush":
                recorder.flush()
            elif then == "refuse":
                disk.fails = lambda count: True
                with pytest.raises(RecordsError):
                    recorder.flush()
                disk.fails = lambda count: False
            elif then == "reopen":
                recorder.close()
                recorder = Recorder(paths, sweep="churn", parameters={}, metrics=["loss"], disk=disk)
        recorder.close()
        assert not recorder.pending
        rows = metric_rows(metrics_table(paths))
        assert {(row.trial, row.step): row.metrics for row in rows} == expected
        assert len(rows) == len(expected)
        assert [(row.trial, row.step) for row in rows] == list(expected)


def test_what_is_in_a_sealed_file_stays(paths: SweepPaths) -> None:
    with Recorder(paths, sweep="churn", parameters={}, seal_rows=2) as recorder:
        recorder.metrics([report(0, 1, loss=1.0), report(1, 1, loss=1.0)])
        recorder.flush()
        recorder.metrics([report(1, 1, acc=3.0)])  # the file is full, and the newest
        recorder.flush()
        recorder.metrics([report(0, 2, loss=1.0)])
        recorder.flush()
        recorder.metrics([report(1, 1, acc=2.0, more=4.0), report(0, 2, more=5.0)])
    table = metrics_table(paths)
    assert table.select(["trial", "step", "loss", "acc", "more"]).to_pydict() == {
        "trial": [0, 1, 0],
        "step": [1, 1, 2],
        "loss": [1.0, 1.0, 1.0],
        "acc": [None, 3.0, None],
        "more": [None, None, 5.0],
    }


def test_a_new_column_is_written_once_the_disk_accepts_it(paths: SweepPaths) -> None:
    disk = FailingDisk(lambda count: False)
    recorder = Recorder(paths, sweep="churn", parameters={}, disk=disk)
    recorder.metrics([report(0, 1, loss=1.0)])
    recorder.flush()
    disk.fails = lambda count: True
    for step, name in ((2, "a"), (3, "b")):
        recorder.metrics([report(0, step, **{name: float(step)})])
        with pytest.raises(RecordsError):
            recorder.flush()
        assert metrics_table(paths).schema.names[6:] == ["loss"]
    disk.fails = lambda count: False
    recorder.close()
    assert metrics_table(paths, ["loss", "a", "b"]).to_pydict() == {
        "loss": [1.0, None, None],
        "a": [None, 2.0, None],
        "b": [None, None, 3.0],
    }


def test_the_first_row_of_a_step_stands_over_restarts(paths: SweepPaths) -> None:
    with Recorder(paths, sweep="churn", parameters={}) as recorder:
        recorder.metrics([report(0, step, loss=1.0) for step in range(5)])
    with Recorder(paths, sweep="churn", parameters={}) as recorder:
        recorder.metrics([report(0, step, loss=2.0) for step in range(3, 7)])
        recorder.metrics([report(1, 0, loss=2.0)])
    assert metrics_table(paths, ["trial", "step", "loss"]).to_pydict() == {
        "trial": [0] * 7 + [1],
        "step": [0, 1, 2, 3, 4, 5, 6, 0],
        "loss": [1.0] * 5 + [2.0] * 3,
    }


def test_ticks_write_at_intervals_that_grow_with_the_cost(paths: SweepPaths) -> None:
    clock = Clock()

    class SlowDisk(FailingDisk):
        def _operate(self) -> None:
            clock.now += 0.1  # five operations a file

    recorder = Recorder(paths, sweep="churn", parameters={}, clock=clock, disk=SlowDisk(lambda count: False))
    opened = clock.now
    writes = []
    for step in range(6_000):
        clock.now = max(clock.now, opened + step * 0.01)
        recorder.metrics([report(0, step, loss=1.0)])
        seconds = recorder.seconds
        recorder.tick()
        if recorder.seconds > seconds:
            writes.append(clock.now)
    assert writes[0] >= opened + 1.0
    gaps = [later - earlier for earlier, later in itertools.pairwise(writes)]
    assert len(gaps) >= 3
    assert min(gaps) >= 20 * 0.5


def test_a_trial_never_ends_before_its_metrics_and_never_reports_before_its_start(tmp_path: Path) -> None:
    """The disk fails at one operation after the other; what a crash there would leave is looked at."""
    for failing in range(15, 45):
        root = tmp_path / str(failing)
        root.mkdir()
        paths = SweepPaths(root)
        disk = FailingDisk(lambda count, failing=failing: count >= failing)
        recorder = Recorder(paths, sweep="churn", parameters={"lr": "float"}, disk=disk)
        try:
            for trial in range(0, 6, 2):
                record_trial(recorder, trial)
                record_trial(recorder, trial + 1)
                recorder.flush()
        except RecordsError:
            pass
        check_cut(paths)
        disk.fails = lambda count: False
        recorder.close()
        check_cut(paths)


def check_cut(paths: SweepPaths) -> None:
    reports = metrics_table(paths)["trial"].to_pylist()
    events = event_rows(events_table(paths))
    assert set(reports) <= {event.trial for event in events if event.event == "pending"}
    ended = {event.trial for event in events if event.event == "completed"}
    assert all(reports.count(trial) == STEPS for trial in ended)
    assert set(trials_table(paths)["trial"].to_pylist()) <= ended


def test_after_a_kill_every_acknowledged_row_is_there_once(tmp_path: Path) -> None:
    moments = random.Random(0)
    for number in range(6):
        root = tmp_path / str(number)
        root.mkdir()
        with start_writer(root, 1_000_000) as writer:
            assert writer.stdout is not None
            acknowledged = [int(writer.stdout.readline())]
            time.sleep(moments.random() * 0.3)
            os.kill(writer.pid, signal.SIGKILL)
            acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
        check_cut(SweepPaths(root))
        recorder = open_recorder(root)
        rows = metrics_table(SweepPaths(root)).select(["trial", "step"]).to_pylist()
        assert len(rows) >= acknowledged[-1]
        assert rows == [{"trial": n // STEPS, "step": n % STEPS} for n in range(len(rows))]
        for trial in range(len(rows) // STEPS + 1):  # as a resume that runs everything again
            record_trial(recorder, trial)
        recorder.close()
        again = metrics_table(SweepPaths(root)).num_rows
        assert again == (len(rows) // STEPS + 1) * STEPS


def test_reopening_keeps_the_rows_of_the_table_of_trials(paths: SweepPaths) -> None:
    for start in range(0, 1_000, 250):
        with Recorder(paths, sweep="churn", parameters={"lr": "float"}) as recorder:
            for trial in range(start, start + 250):
                recorder.trial(TrialRow(trial=trial, state=State.RUNNING, config={"lr": 0.5}))
    with Recorder(paths, sweep="churn", parameters={"lr": "float"}) as recorder:
        recorder.trial(TrialRow(trial=3, state=State.COMPLETED, config={"lr": 0.5}))
    table = trials_table(paths)
    assert table["trial"].to_pylist() == list(range(1_000))
    assert [n for n, state in enumerate(table["state"].to_pylist()) if state == "completed"] == [3]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"momentum": 0.9}, "parameter 'momentum', but trials.parquet has columns only for lr, layers"),
        ({"lr": "0.1"}, "lr is '0.1', but its column holds float values"),
        ({"layers": 2.5}, "layers is 2.5, but its column holds int values"),
        ({"layers": True}, "layers is True"),
        ({"layers": 2**63}, "layers is 9223372036854775808"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused_alone(
    paths: SweepPaths, config: dict[str, object], sentence: str
) -> None:
    with Recorder(paths, sweep="churn", parameters={"lr": "float", "layers": "int"}) as recorder:
        with pytest.raises(RecordsError, match=sentence):
            recorder.trial(TrialRow(trial=0, state=State.PENDING, config=config))
        recorder.trial(TrialRow(trial=1, state=State.PENDING, config={"lr": 1, "layers": 2}))
    assert trials_table(paths)["trial"].to_pylist() == [1]


def test_foreign_records_are_refused(paths: SweepPaths) -> None:
    Recorder(paths, sweep="churn", parameters={}).events([])
    pd.DataFrame({"a": [1]}).to_parquet(paths.events / "000000.parquet")
    with pytest.raises(RecordsError, match="these are not the records of a sweep"):
        Recorder(paths, sweep="churn", parameters={})


def test_a_tick_with_nothing_due_touches_no_file(paths: SweepPaths) -> None:
    disk = FailingDisk(lambda count: False)
    recorder = Recorder(paths, sweep="churn", parameters={}, logs_every=0.0, trials_every=0.0, disk=disk)
    recorder.events([EventRow(at=0.0, event="note")])
    recorder.tick()
    count = disk.count
    recorder.tick()
    recorder.flush()
    assert disk.count == count
