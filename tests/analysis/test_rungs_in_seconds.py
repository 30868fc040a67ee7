"""What is said of a recorded sweep whose rungs are at seconds of training."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.after.confirm import confirming_sweep
from orchestrator.after.repro import repetition
from orchestrator.analysis.compare.audit import audit_in
from orchestrator.analysis.compare.common_step import compare_at_common_step
from orchestrator.analysis.diagnosis.findings.rungs import rung_predictions, rungs
from orchestrator.analysis.earlier.recorded import recorded_trials
from orchestrator.analysis.report.chart_data import chart_data
from orchestrator.analysis.report.collect import collect
from orchestrator.analysis.report.page import page
from orchestrator.analysis.summary.results import RungEntry, SweepResults, TrialResult, read_results
from orchestrator.analysis.summary.rungs import rung_table
from orchestrator.analysis.time.ledger import ledger_in
from orchestrator.analysis.time.step_time import earlier_paces
from orchestrator.analysis.watch.follow import Follower
from orchestrator.cli.views.events import events_text, newest
from orchestrator.cli.views.sweep import SweepView
from orchestrator.cli.views.text import rung_rows
from orchestrator.core.events import Start
from orchestrator.core.rows import State
from orchestrator.core.search import Outcome
from orchestrator.records.load import events_table, metrics_table, trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo, read_sweep_json
from orchestrator.spec import parse_spec
from tests.analysis.report.made import made

SCHEDULER = {"unit": "seconds", "grace_period": 4, "reduction_factor": 3, "max": 40, "audit": 0.2}


def paced(start: Start) -> Iterator[tuple[float, int, dict[str, float]]]:
    """Steps of 0.5 s, and of 4 s in deep networks; the floor is the dropout."""
    pace = 4.0 if start.config["layers"] > 3 else 0.5
    for step in range(1, 200):
        yield pace, step, {"val_loss": start.config["dropout"] + 1 / step}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    return made(tmp_path_factory.mktemp("seconds"), paced, scheduler=SCHEDULER, fixed={})


@pytest.fixture(scope="module")
def info(paths: SweepPaths) -> SweepInfo:
    return read_sweep_json(paths.info)


def test_the_table_of_rungs_has_seconds(paths: SweepPaths) -> None:
    table = rung_table(paths)
    assert [each.rung for each in table] == [4, 12, 36]
    assert table[0].entered == 60
    view = SweepView.of(paths, 3)
    assert any(line.split()[:2] == ["rung", "(s)"] for line in view.text().splitlines())
    assert (view.data()["rung_unit"], view.data()["rungs"][0]["rung"]) == ("seconds", 4)
    assert next(iter(rung_rows(table, "seconds")[0])) == "rung (s)"
    assert next(iter(rung_rows(table)[0])) == "rung"


def test_events_say_seconds(paths: SweepPaths) -> None:
    text = events_text("made-up", newest(paths, 1000), "seconds")
    assert " at rung 4 s, the cutoff is " in text
    assert "not promoted beyond rung 4 s" in text
    assert not any(f"rung {rung}," in text or f"rung {rung}\n" in text for rung in (4, 12, 36))
    scene = Follower(paths).look(0.0)
    assert (scene.rung_unit, [each.rung for each in scene.rungs]) == ("seconds", [4, 12, 36])


def test_trials_are_compared_after_the_same_time(paths: SweepPaths, info: SweepInfo) -> None:
    results = read_results(paths, info)
    table = metrics_table(paths)
    columns = [table[name].to_pylist() for name in ("trial", "train_s", "val_loss")]
    found = compare_at_common_step(results, zip(*columns, strict=True))
    assert (found.step, found.unit) == (4, "seconds")
    assert found.sentence() == "60 of 60 trials, compared at 4 s of training, which most reached"
    config = {each.trial: each.config for each in results.trials}
    for trial, loss in found.losses.items():
        steps = 1 if config[trial]["layers"] > 3 else 8
        assert loss == pytest.approx(config[trial]["dropout"] + 1 / steps)


def test_the_audit_looks_at_the_next_rung_by_time(paths: SweepPaths, info: SweepInfo) -> None:
    found = audit_in(paths, info)
    assert found is not None
    assert found.audited
    assert found.judged > 0
    losses: dict[int, list[float]] = {}
    for row in events_table(paths).to_pylist():
        if row["event"] == "rung":
            losses.setdefault(row["rung"], []).append(row["value"])
    table = metrics_table(paths).to_pylist()
    cuts = {row["trial"]: row["rung"] for row in events_table(paths).to_pylist() if row["decision"] == "audit"}
    passed = []
    for trial, cut in cuts.items():
        following = min((rung for rung in losses if rung > cut), default=None)
        if following is not None:
            then = next(row["val_loss"] for row in table if row["trial"] == trial and row["train_s"] >= following)
            better = sum(other < then for other in losses[following])
            passed += [trial] if better < (len(losses[following]) + 1) / 3 else []
    assert sorted(found.passed) == sorted(passed)


def test_what_stopping_saved_is_bounded_by_time(paths: SweepPaths, info: SweepInfo) -> None:
    found = ledger_in(paths, info)
    stopped = [row for row in trials_table(paths).to_pylist() if row["state"] == "stopped"]
    assert found.saved is not None
    assert found.saved <= sum(40 - row["train_s"] for row in stopped) + 1e-6
    assert found.saved > 0


def test_the_report_draws_curves_over_seconds(paths: SweepPaths) -> None:
    data = collect(paths, now=1_790_000_500.0)
    charts = chart_data(data)
    assert charts["unit"] == "seconds"
    longest = max(max(steps) for _, steps, *_ in charts["curves"]["curves"])
    assert 40 <= longest < 44
    text = page(data)
    assert '<th scope="col">rung (s)</th>' in text


def test_ranks_at_rungs_are_named_in_seconds() -> None:
    trials = [
        TrialResult(trial=n, state=State.COMPLETED, config={}, value=float(n), last_step=900, train_s=90.0)
        for n in range(12)
    ]
    entries = [RungEntry(trial=n, rung=30, value=float(-n)) for n in range(12)]
    entries += [RungEntry(trial=n, rung=90, value=float(n)) for n in range(12)]  # where they ended
    results = SweepResults(
        objective=read_objective(), method="random", space={}, trials=trials, entries=entries, unit="seconds"
    )
    assert [each.rung for each in rung_predictions(results)] == [30]
    (finding,) = rungs(results)
    assert finding.sentence.startswith("the ranking at rung 30 s (rank correlation ")


def read_objective() -> Any:
    from orchestrator.analysis.summary.overview import Objective

    return Objective(metric="loss", mode="min", at="best")


def test_a_new_sweep_learns_by_its_own_unit(paths: SweepPaths) -> None:
    by_seconds = recorded_trials(paths, "seconds", "seconds")
    by_steps = recorded_trials(paths, "seconds", "steps")
    rows = {row["trial"]: row for row in trials_table(paths).to_pylist()}
    assert len(by_seconds) == len(by_steps) == len(rows)
    stopped = [each for each in by_seconds if each.outcome is Outcome.STOPPED]
    assert {max(each.values) for each in stopped} == {4, 12, 36} & {max(each.values) for each in stopped}
    completed = [each for each in by_seconds if each.outcome is Outcome.COMPLETED]
    assert {max(each.values) for each in completed} <= {40, 41, 42, 43}
    steps = sorted(max(each.values) for each in by_steps if each.outcome is Outcome.STOPPED)
    assert steps == sorted(row["last_step"] for row in rows.values() if row["state"] == "stopped")


def test_of_a_sweep_with_rungs_at_steps_it_learns_by_the_seconds(tmp_path: Path) -> None:
    paths = made(tmp_path, paced, trials=12, scheduler={"grace_period": 2, "reduction_factor": 3, "max": 20}, fixed={})
    for trial in recorded_trials(paths, "steps", "seconds"):
        if trial.outcome is Outcome.STOPPED:
            assert trial.train_s is not None
            assert max(trial.values) == int(trial.train_s)


def test_a_confirming_sweep_trains_for_the_same_time(paths: SweepPaths, info: SweepInfo, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("def train(config, trial): pass\n")
    there = dataclasses.replace(info, directory=str(tmp_path))
    spec = confirming_sweep(paths, there, best=2, seeds=2).spec
    assert spec.scheduler is not None
    assert (spec.scheduler.method, spec.scheduler.max, spec.trial.max_time) == ("none", None, 40.0)
    shorter = dataclasses.replace(there, spec={**info.spec, "trial": {**info.spec["trial"], "max_time": 15.0}})
    assert confirming_sweep(paths, shorter, best=2, seeds=2).spec.trial.max_time == 15.0


def test_a_repetition_trains_as_many_steps(paths: SweepPaths, info: SweepInfo, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("def train(config, trial): pass\n")
    spec = json.loads(json.dumps(info.spec)) | {"trial": {**info.spec["trial"], "max_time": 60.0}}
    there = dataclasses.replace(info, directory=str(tmp_path), spec=spec)
    row = next(row for row in trials_table(paths).to_pylist() if row["state"] == "completed")
    again = repetition(paths, there, row["trial"], current_code=True).source.spec
    assert again.scheduler is not None
    assert (again.scheduler.method, again.scheduler.max) == ("none", row["last_step"])
    assert again.trial.max_time is None, "the machine may be slower now"


def test_the_trials_that_trained_longer_come_first(paths: SweepPaths) -> None:
    spec = parse_spec(read_sweep_json(paths.info).spec, base=Path())
    found = earlier_paces(paths.root.parent, spec, None)
    assert found is not None
    rows = {row["trial"]: row for row in trials_table(paths).to_pylist()}
    assert len(found.paces) == len(rows)
    longest = sum(row["state"] == "completed" for row in rows.values())
    slow = [pace for pace in found.paces[:longest] if pace.step_s == pytest.approx(4.0)]
    assert slow, "a deep network that trained for its whole time took few steps, and came as far as any"
