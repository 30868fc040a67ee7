"""In the driver: verdicts are recorded when trials end, and kept after a resume."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestrator.analysis.diagnosis.diagnose import diagnose
from orchestrator.core.journal import Rows
from orchestrator.core.rows import MetricRow, State, TrialRow
from orchestrator.driver.live_diagnosis import LiveDiagnosis
from orchestrator.records.load import load
from orchestrator.records.recorder import Recorder
from orchestrator.spec.sections import Objective
from tests.analysis.diagnosis.curves import falling, turning
from tests.cli.recorded import record

OBJECTIVE = Objective(metric="val_loss", mode="min")


def reports(trial: int, train: Sequence[float], validation: Sequence[float], *, first: int = 1) -> list[MetricRow]:
    return [
        MetricRow(
            trial=trial,
            attempt=1,
            step=step,
            train_s=float(step),
            reported_at=float(step),
            metrics={"train_loss": a, "val_loss": b},
        )
        for step, (a, b) in enumerate(zip(train, validation, strict=True), first)
    ]


def rows(metrics: list[MetricRow], *trials: TrialRow) -> Rows:
    return Rows(metrics=metrics, events=[], trials=list(trials))


def ended(trial: int, state: State = State.COMPLETED) -> TrialRow:
    return TrialRow(trial=trial, state=state, reason="loss was nan at step 3")


def said(examined: Rows) -> list[str | None]:
    return [row.diagnosis for row in examined.trials]


def test_a_trial_that_ends_is_judged_by_all_its_reports() -> None:
    examiner = LiveDiagnosis(OBJECTIVE)
    train, validation = falling(0.05), turning(0.3, 0.9)
    assert said(examiner.diagnosed(rows(reports(0, train[:20], validation[:20]), ended(0, State.RUNNING)))) == [None]
    last = examiner.diagnosed(rows(reports(0, train[20:], validation[20:], first=21), ended(0)))
    assert said(last) == ["overfitting"]
    assert "158% worse" in (last.trials[0].diagnosis_reason or "")
    assert said(examiner.diagnosed(rows([], ended(0)))) == ["overfitting"]  # its row is written once more


def test_what_became_of_a_trial_is_not_confused() -> None:
    examiner = LiveDiagnosis(OBJECTIVE)
    long = reports(1, falling(0.05), turning(0.3, 0.9))
    examined = examiner.diagnosed(
        rows([*reports(0, [0.9, 0.8], [0.9, 0.8]), *long], ended(0, State.STOPPED), ended(1, State.FAILED))
    )
    assert said(examined) == ["too_short", None]
    examined = examiner.diagnosed(rows(reports(2, [1.0, math.nan], [1.0, 0.5]), ended(2, State.DIVERGED)))
    assert said(examined) == ["diverged"]
    assert examined.trials[0].diagnosis_reason == "loss was nan at step 3"
    assert said(examiner.diagnosed(rows([], ended(3)))) == [None]  # it never reported


def test_others_count_as_soon_as_they_have_ended() -> None:
    examiner = LiveDiagnosis(OBJECTIVE)
    bad = falling(0.6)
    assert said(examiner.diagnosed(rows(reports(0, bad, bad), ended(0))))[0] != "underfitting"
    for trial in range(1, 5):
        examiner.diagnosed(rows(reports(trial, falling(0.1), falling(0.12)), ended(trial)))
    assert said(examiner.diagnosed(rows(reports(5, bad, bad), ended(5)))) == ["underfitting"]


def test_a_metric_that_comes_later_may_be_a_curve() -> None:
    examiner = LiveDiagnosis(OBJECTIVE)
    first = [
        MetricRow(trial=0, attempt=1, step=1, train_s=1.0, reported_at=1.0, metrics={"train_loss": 1.0, "seconds": 2.0})
    ]
    rest = reports(0, falling(0.05), turning(0.3, 0.9), first=2)
    assert said(examiner.diagnosed(rows([*first, *rest], ended(0)))) == ["overfitting"]


def test_an_ended_trial_holds_no_curve() -> None:
    examiner = LiveDiagnosis(OBJECTIVE)
    for trial in range(50):
        examiner.diagnosed(rows(reports(trial, falling(0.1), falling(0.12)), ended(trial)))
    assert not examiner._live


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """A sweep of which one trial had trained for 20 of 40 steps when it was interrupted; two had ended."""
    paths = record(tmp_path, objective={"metric": "val_loss", "mode": "min"}, budget={"trials": 1})
    examiner = LiveDiagnosis(OBJECTIVE)
    turned = (falling(0.05), turning(0.3, 0.9))
    recorded = rows(
        [
            *reports(100, *turned),
            *reports(101, falling(0.05), falling(0.06)),
            *reports(102, turned[0][:20], turned[1][:20]),
        ],
        ended(100),
        ended(101),
        ended(102, State.RUNNING),
    )
    with Recorder(paths, sweep=paths.name, parameters={"lr": "float", "kind": "str", "sizes": "json"}) as recorder:
        examined = examiner.diagnosed(recorded)
        recorder.metrics(examined.metrics)
        for row in examined.trials:
            recorder.trial(row)
    return paths.root


def test_a_resume_keeps_what_was_said_and_goes_on_with_curves(interrupted: Path) -> None:
    from orchestrator.core.trial import Trial

    sweep = load(interrupted)
    before = sweep.trials.set_index("trial").diagnosis
    assert before[100] == "overfitting"
    assert before.isna()[102]

    trials = [
        Trial(number=number, config={}, complete={}, seed=0, bracket=0, objective=OBJECTIVE, state=state)
        for number, state in ((100, State.COMPLETED), (101, State.COMPLETED), (102, State.PENDING))
    ]
    examiner = LiveDiagnosis(OBJECTIVE)
    examiner.restore(sweep.paths, trials)
    assert said(examiner.diagnosed(rows([], ended(100), ended(101)))) == [before[100], before[101]]
    rest = reports(102, falling(0.05)[20:], turning(0.3, 0.9)[20:], first=21)
    assert said(examiner.diagnosed(rows(rest, ended(102)))) == ["overfitting"]


def test_the_reading_side_says_the_same(interrupted: Path) -> None:
    sweep = load(interrupted)
    verdicts = diagnose(sweep.paths, sweep.info).verdicts
    assert verdicts[100][0].kind == "overfitting"
    assert verdicts[100][0].sentence == sweep.trials.set_index("trial").diagnosis_reason[100]


@pytest.mark.parametrize("lost", ["diagnosis", "diagnosis_reason"])
def test_verdicts_of_which_a_half_is_lost_count_as_none(tmp_path: Path, lost: str) -> None:
    paths = record(tmp_path)
    pq.write_table(pq.read_table(paths.trials_table).drop_columns(lost), paths.trials_table)
    LiveDiagnosis(OBJECTIVE).restore(paths, [])
