"""What functions written for Ray Tune report, and what is refused; without Ray's processes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ray import tune
from ray.tune import Checkpoint

from orchestrator.worker.ray_function import _Session, run
from trainables.report import Report
from trainables.trial import Trial


def reports(function: Callable[[dict[str, Any]], Any]) -> list[Report]:
    trial = Trial(config={"x": 0.5})
    run(function, trial, "loss")
    return trial.history


def test_nested_metrics_have_the_names_that_ray_gives_them() -> None:
    def train(config: dict[str, Any]) -> None:
        tune.report({"val": {"loss": config["x"], "top": {"1": 0.9}}, "note": "fine"})

    assert [each.metrics for each in reports(train)] == [{"val/loss": 0.5, "val/top/1": 0.9}]


def test_names_of_columns_are_left_out_and_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    def train(config: dict[str, Any]) -> None:
        for step in range(3):
            tune.report({"step": step, "trial": 1, "loss": 1.0})

    assert [(each.step, each.metrics) for each in reports(train)] == [(step, {"loss": 1.0}) for step in (1, 2, 3)]
    said = capsys.readouterr().out
    assert said.count("not recorded") == 1
    assert "'step', 'trial'" in said


def test_without_a_number_the_error_shows_what_was_reported() -> None:
    def train(config: dict[str, Any]) -> None:
        tune.report({"note": "fine", "inner": {"all": None}})

    with pytest.raises(ValueError, match=r"tune.report\(.*fine.*no metric is a number"):
        reports(train)


def checkpointing(config: dict[str, Any]) -> None:
    """After "How to Save and Load Trial Checkpoints", https://docs.ray.io/en/latest/tune/tutorials/tune-trial-checkpoints.html"""
    start = 0
    checkpoint = tune.get_checkpoint()
    if checkpoint:
        with checkpoint.as_directory() as checkpoint_dir:
            start = json.loads((Path(checkpoint_dir) / "state.json").read_text())["epoch"] + 1
    for epoch in range(start, 4):
        if epoch == config.get("dies_at"):
            raise KeyboardInterrupt
        with tempfile.TemporaryDirectory() as temporary:
            (Path(temporary) / "state.json").write_text(json.dumps({"epoch": epoch}))
            tune.report({"loss": 1.0 / (epoch + 1)}, checkpoint=Checkpoint.from_directory(temporary))
        newest = tune.get_checkpoint()
        assert newest is not None
        assert json.loads((Path(newest.path) / "state.json").read_text()) == {"epoch": epoch}


def test_a_checkpoint_is_kept_and_given_to_the_next_attempt(tmp_path: Path) -> None:
    first = Trial(config={"dies_at": 2}, directory=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(checkpointing, first, "loss")
    second = Trial(config={}, directory=tmp_path)
    run(checkpointing, second, "loss")
    assert [each.step for each in first.history] == [1, 2]
    assert [(each.step, each.metrics["loss"]) for each in second.history] == [(3, 1 / 3), (4, 1 / 4)]


def test_a_report_that_is_done_ends_the_function() -> None:
    def train(config: dict[str, Any]) -> None:
        for step in range(9):
            tune.report({"loss": 1.0, "done": step == 2})

    assert [each.metrics for each in reports(train)] == [{"loss": 1.0}] * 3


def test_text_is_in_the_log_whenever_it_changes(capsys: pytest.CaptureFixture[str]) -> None:
    def train(config: dict[str, Any]) -> None:
        for step in range(4):
            tune.report({"loss": 1.0, "phase": {"name": "warm-up" if step < 2 else "decay"}})

    reports(train)
    assert capsys.readouterr().out == "phase/name: warm-up\nphase/name: decay\n"


def test_what_a_worker_of_ray_train_asks_of_its_session_is_refused_in_words() -> None:
    from ray.train._internal.session import get_session

    def train(config: dict[str, Any]) -> None:
        _ = get_session().dataset_shard

    with pytest.raises(AttributeError, match=r"works in the train_loop_per_worker of a trainer"):
        reports(train)


def test_a_trial_id_is_the_same_in_every_attempt_and_in_no_other_sweep(tmp_path: Path) -> None:
    seen = []

    def train(config: dict[str, Any]) -> None:
        seen.append((tune.get_context().get_trial_id(), tune.get_context().get_trial_name()))

    for directory in ("sweep", "sweep", "other sweep"):
        run(train, Trial(config={}, number=7, directory=tmp_path / directory), "loss")
    assert seen[0] == seen[1] != seen[2]
    assert seen[0][0].endswith("_00007")
    assert seen[0][1] == f"trial_{seen[0][0]}"


def test_a_trainer_s_checkpoint_is_copied_or_its_address_saved_if_it_is_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = tmp_path / "store" / "checkpoint_1"
    stored.mkdir(parents=True)
    (stored / "state.json").write_text("1")
    trial = Trial(config={}, directory=tmp_path / "trial")
    session = _Session(trial)
    session._report_of_trainer({"loss": 2.0, "checkpoint_path": str(stored)})
    assert (trial.saved_path or Path()).joinpath("state.json").read_text() == "1"
    session._report_of_trainer({"loss": 1.0})
    session._report_of_trainer({"loss": 0.5, "checkpoint_path": "bucket/checkpoint_2"})
    assert [(each.step, each.metrics) for each in trial.history] == [
        (1, {"loss": 2.0}),
        (2, {"loss": 1.0}),
        (3, {"loss": 0.5}),
    ]
    assert "checkpoint_path: bucket/checkpoint_2" in capsys.readouterr().out
    again = Trial(config={}, directory=tmp_path / "trial").restore()
    assert again is not None
    assert (again["step"], again["checkpoint_path"]) == (3, "bucket/checkpoint_2")
