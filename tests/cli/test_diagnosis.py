"""show --diagnosis, --failures and the findings of a plain show; try --data-fractions."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.journal import Rows
from orchestrator.core.rows import Failure
from orchestrator.driver.live_diagnosis import LiveDiagnosis
from orchestrator.records.paths import claim
from orchestrator.records.provenance import collect, write_sweep_json
from orchestrator.records.recorder import Recorder
from orchestrator.spec import parse_spec
from tests.analysis.diagnosis.curves import falling, turning
from tests.cli.conftest import Ran
from trainables.report import Report

Sweep = Callable[..., Ran]

SPEC = {
    "name": "judged",
    "trainable": "train.py:train",
    "space": {"lr": {"loguniform": [1e-4, 1e-1]}, "batch_size": {"choice": [64, 128, 256, 512], "ordered": True}},
    "objective": {"metric": "val_loss", "mode": "min"},
    "search": {"method": "random", "seed": 1},
    "budget": {"trials": 60},
}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Sixty trials: large batches run out of memory; of the rest all overfit, the less the higher the rate."""
    spec = parse_spec(SPEC, base=tmp_path)
    paths = claim(tmp_path / "results", "judged")
    command = ["sweep"]
    write_sweep_json(
        paths.info,
        collect(
            name="judged",
            seed=1,
            trainable=str(spec.trained),
            spec=spec.to_plain(),
            command=command,
            directory=tmp_path,
        ),
    )
    sweep, at = build_sweep(spec, None), 1_790_000_000.0
    while (start := sweep.ask(at)) is not None:
        at += 1
        sweep.on(events.Started(trial=start.trial, at=at))
        if start.config["batch_size"] == 512:
            failure = Failure(type="GpuOutOfMemory", message="CUDA out of memory", fingerprint="GpuOutOfMemory")
            sweep.on(events.Failed(trial=start.trial, at=at, failure=failure))
            continue
        validation = turning(0.3 + 0.001 / start.config["lr"] ** 0.5, 0.9)
        for step, (train, seen) in enumerate(zip(falling(0.05), validation, strict=True), start=1):
            report = Report(
                step=step, train_s=float(step), reported_at=at, metrics={"train_loss": train, "val_loss": seen}
            )
            sweep.on(events.Reported(trial=start.trial, at=at, reports=[report]))
        sweep.on(events.Finished(trial=start.trial, at=at, train_s=40.0))
    kinds = {name: each.kind for name, each in spec.distributions().items()}
    with Recorder(paths, sweep="judged", parameters=kinds, metrics=["val_loss"]) as recorder:
        rows: Rows = LiveDiagnosis(spec.objective).diagnosed(sweep.take(at))
        recorder.metrics(rows.metrics)
        recorder.events(rows.events)
        for row in rows.trials:
            recorder.trial(row)
    return tmp_path / "results"


def test_in_words(sweep: Sweep, results: Path) -> None:
    out = sweep("show", "--diagnosis").out
    head, findings, best, trials = out.strip().split("\n\n")
    assert head == "judged, judged by train_loss and val_loss (by convention)"
    assert "failures, 1 cause: out of GPU memory (" in findings
    assert "exactly where batch_size ≥ 512" in findings
    assert "best trials have lr at its upper bound, 0.1 → search lr in [0.0001, 3.2]" in findings
    assert best.startswith("the best trial, ")
    assert "\n  overfitting: val_loss was best at step " in best
    assert trials.startswith("overfitting: ")
    assert len(trials.splitlines()) == 4


def test_for_programs(sweep: Sweep, results: Path) -> None:
    found = json.loads(sweep("show", "--diagnosis", "--format", "json").out)
    assert (found["train"], found["validation"], found["chosen"]) == ("train_loss", "val_loss", "by convention")
    assert {each["verdicts"][0]["kind"] for each in found["trials"]} == {"overfitting"}
    assert found["trials"][0]["verdicts"][0]["numbers"]["turned_at"] > 5
    assert {each["subject"] for each in found["findings"]} >= {"failures", "bound", "verdicts"}
    rows = list(csv.DictReader(io.StringIO(sweep("show", "--diagnosis", "--format", "csv").out)))
    assert rows[0]["diagnosis"] == "overfitting"


def test_failures_say_where(sweep: Sweep, results: Path) -> None:
    assert "\n  exactly where batch_size ≥ 512\n" in sweep("show", "--failures").out + "\n"
    (cause,) = json.loads(sweep("show", "--failures", "--format", "json").out)
    assert cause["where"] == "exactly where batch_size ≥ 512"


def test_a_plain_show_ends_with_what_is_most_urgent(sweep: Sweep, results: Path) -> None:
    lines = sweep("show").out.strip().splitlines()
    assert lines[-1] == "more: sweep show judged --diagnosis"
    told = [line for line in lines if line.startswith("· ")]
    assert 1 <= len(told) <= 3
    assert "upper bound" in told[0]
    assert json.loads(sweep("show", "--format", "json").out)["findings"][0]["subject"] == "bound"


def test_a_sweep_without_reports(sweep: Sweep, tmp_path: Path) -> None:
    spec = parse_spec(SPEC, base=tmp_path)
    paths = claim(tmp_path / "results", "judged")
    write_sweep_json(
        paths.info,
        collect(name="judged", seed=1, trainable="x:y", spec=spec.to_plain(), command=[], directory=tmp_path),
    )
    ran = sweep("show", "--diagnosis")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "judged: no trial has reported yet")


TRAIN = """
from trainables.declaration import Hyperparameter, declare

@declare(
    Hyperparameter(name="x", type=float, default=0.1, meaning="where to start"),
    Hyperparameter(name="epochs", type=int, default=20, meaning="how long"),
    {share}
)
def train(config, trial):
    for step in range(1, config["epochs"] + 1):
        trial.report(step=step, loss=config["x"] + 1 / 2 ** step + 0.1 * (1 - config.get("data_fraction", 0)))
"""
SHARE = 'Hyperparameter(name="data_fraction", type=float, default=1.0, meaning="of the training data"),'


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "learns.py").write_text(TRAIN.replace("{share}", SHARE))
    path = tmp_path / "learns.yaml"
    path.write_text("trainable: learns.py:train\nspace: {x: {uniform: [0, 1]}}\nobjective: {metric: loss}\n")
    return path


def test_more_data_helps_and_each_share_is_the_same_trial(sweep: Sweep, spec: Path) -> None:
    ran = sweep("try", spec, "--data-fractions", "1,0.25,0.5", "--config", "{x: 0.2}")
    assert ran.code == 0
    *table, said = ran.out.strip().splitlines()
    assert [line.split()[0] for line in table] == ["data", "0.25", "0.5", "1"]
    assert said.startswith("more data still helps: from 50% to 100% of the data, loss went from 0.25 to 0.2 → ")
    assert "x=0.2 data_fraction=…" in ran.err


@pytest.mark.parametrize("shares", ["1", "0,1", "0.5,2", "half", "0.5,0.5"])
def test_shares_are_at_least_two(sweep: Sweep, spec: Path, shares: str) -> None:
    ran = sweep("try", spec, "--data-fractions", shares)
    assert ran.code == 2
    assert "at least two shares" in ran.err


def test_a_trainable_without_shares_says_so(sweep: Sweep, spec: Path) -> None:
    (spec.parent / "learns.py").write_text(TRAIN.replace("{share}", ""))
    ran = sweep("try", spec, "--data-fractions", "0.5,1")
    assert ran.code == 2
    assert "declares no hyperparameter data_fraction" in ran.err
