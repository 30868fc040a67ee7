"""The rows written are the rows read back, by a resume and by pandas."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.rows import EventRow, Failure, MetricRow, State, TrialRow
from orchestrator.records.decode import event_rows, metric_rows, trial_rows
from orchestrator.records.load import events_table, metrics_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.recorder import Recorder
from orchestrator.records.schema import Kind

# Whole microseconds that a float holds exactly enough to come back equal.
TIMES = st.integers(0, 2**32).map(lambda seconds: seconds + 0.25)
FLOATS = st.floats(width=64)
COUNTS = st.integers(0, 2**40)
TEXTS = st.text(max_size=20)
PARAMETERS: dict[str, Kind] = {"lr": "float", "layers": "int", "amp": "bool", "opt": "str", "widths": "json"}

METRICS = st.builds(
    MetricRow,
    trial=st.integers(0, 3),
    attempt=st.integers(1, 3),
    step=COUNTS,
    train_s=st.floats(0, 1e9),
    reported_at=TIMES,
    metrics=st.dictionaries(st.sampled_from(["loss", "acc", "späť", "a/b", "Δ"]), FLOATS, min_size=1),
)
EVENTS = st.builds(
    EventRow,
    at=TIMES,
    event=st.sampled_from(["sweep", "note", "of a later version"]),
    trial=st.none() | st.integers(0, 2**31 - 1),
    attempt=st.none() | COUNTS,
    step=st.none() | COUNTS,
    rung=st.none() | COUNTS,
    value=st.none() | st.floats(allow_nan=False),
    cutoff=st.none() | st.floats(allow_nan=False),
    decision=st.none() | st.sampled_from(["continue", "stop"]),
    reason=st.none() | TEXTS,
    detail=st.none() | st.dictionaries(TEXTS, st.none() | st.booleans() | COUNTS | TEXTS | st.floats(allow_nan=False)),
)
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "lr": st.floats(allow_nan=False),
        "layers": st.integers(-(2**63), 2**63 - 1),
        "amp": st.booleans(),
        "opt": TEXTS,
        "widths": st.none() | st.lists(st.integers(0, 9)) | TEXTS | st.integers(0, 9),
    },
)
TRIALS = st.builds(
    TrialRow,
    trial=st.integers(0, 2_000),
    state=st.sampled_from(State),
    config=CONFIGS,
    seed=COUNTS,
    objective=st.none() | st.floats(allow_nan=False),
    best_step=st.none() | COUNTS,
    rung=st.none() | COUNTS,
    started_at=st.none() | TIMES,
    ended_at=st.none() | TIMES,
    reason=st.none() | TEXTS,
    failure=st.none() | st.builds(Failure, type=TEXTS, message=TEXTS, traceback=TEXTS, fingerprint=TEXTS),
    node=st.none() | TEXTS,
    node_id=st.none() | TEXTS,
    gpu_ids=st.lists(TEXTS, max_size=3).map(tuple),
)


def same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(METRICS, max_size=6), max_size=4),
    st.lists(EVENTS, max_size=6),
    st.lists(TRIALS, max_size=6),
)
def test_rows_come_back_as_they_were(
    rounds: list[list[MetricRow]], events: list[EventRow], trials: list[TrialRow]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        paths = SweepPaths(Path(name))
        reports, last = [], {}
        for rows in rounds:
            with Recorder(paths, sweep="churn", parameters=PARAMETERS) as recorder:
                recorder.metrics(rows)
            for row in rows:
                if row.step > last.get(row.trial, -1):
                    last[row.trial] = row.step
                    reports.append(row)
        with Recorder(paths, sweep="churn", parameters=PARAMETERS) as recorder:
            recorder.events(events)
            for trial in trials:
                recorder.trial(trial)

        back = metric_rows(metrics_table(paths))
        assert len(back) == len(reports)
        for row, report in zip(back, reports, strict=True):
            assert (row.trial, row.attempt, row.step) == (report.trial, report.attempt, report.step)
            assert (row.train_s, row.reported_at) == (report.train_s, report.reported_at)
            assert row.metrics.keys() == report.metrics.keys()
            assert all(same(row.metrics[name], value) for name, value in report.metrics.items())
        assert event_rows(events_table(paths)) == events
        latest = {trial.trial: trial for trial in trials}
        assert trial_rows(trials_table(paths), PARAMETERS) == [latest[number] for number in sorted(latest)]

        frame = pd.read_parquet(paths.metrics)
        assert frame["step"].tolist() == [report.step for report in reports]
        assert str(frame["step"].dtype) == "int64"
        frame = pd.read_parquet(paths.trials_table)
        assert frame["trial_id"].tolist() == [f"churn-{number}" for number in sorted(latest)]
        assert frame["state"].tolist() == [latest[number].state for number in sorted(latest)]


def test_text_that_is_no_unicode_and_numpy_numbers_are_recorded(tmp_path: Path) -> None:
    import numpy as np

    with Recorder(SweepPaths(tmp_path), sweep="churn", parameters=PARAMETERS) as recorder:
        config = {"layers": np.int64(3), "lr": np.float32(0.5), "widths": [np.int64(1)]}
        failure = Failure(type="Crash", message="bytes \udcff of a program")
        recorder.trial(TrialRow(trial=0, state=State.FAILED, config=config, failure=failure))
        recorder.events([EventRow(at=1.0, event="pending", trial=0, detail={"config": config})])
    row = trial_rows(trials_table(SweepPaths(tmp_path)), PARAMETERS)[0]
    assert row.config == {"lr": 0.5, "layers": 3, "widths": [1]}
    assert row.failure is not None
    assert row.failure.message == "bytes \\udcff of a program"
    detail = event_rows(events_table(SweepPaths(tmp_path)))[0].detail
    assert detail == {"config": {"layers": 3, "lr": 0.5, "widths": [1]}}
