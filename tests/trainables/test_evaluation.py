"""What evaluate receives and must return, for functions and classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from trainables.checkpoints.snapshot import DamagedCheckpoint
from trainables.contract import run
from trainables.declaration import declare
from trainables.evaluation import Restoring, evaluate, evaluates
from trainables.trial import Trial


def train(config: Mapping[str, Any], trial: Trial) -> None:
    for step in (1, 2, 3):
        trial.save(step=step, weight=step * config["lr"])
        trial.report(step=step, loss=abs(step - 2))


def score(config: Mapping[str, Any], trial: Trial) -> dict[str, Any]:
    state = trial.restore()
    assert state is not None
    return {
        "test_loss": torch.tensor(state["weight"], requires_grad=True),
        "test_seed": np.int64(trial.seed),
        "test_lr": config["lr"],
    }


def checkpoint(trainable: Any, directory: Path) -> Restoring:
    run(trainable, Trial(config={"lr": 0.5}, directory=directory))
    return Restoring(directory / "checkpoints" / "last.json")


class Stepped:
    def __init__(self, config: Mapping[str, Any], trial: Trial) -> None:
        self.weight = 0.0
        self.lr = config["lr"]
        self.count = 0

    def step(self) -> dict[str, float] | None:
        self.weight += self.lr
        self.count += 1
        return {"loss": -self.weight} if self.count < 4 else None

    def state_dict(self) -> dict[str, float]:
        return {"weight": self.weight, "count": self.count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.weight, self.count = state["weight"], state["count"]

    def evaluate(self) -> dict[str, float]:
        return {"test_loss": -self.weight}


def test_a_function_is_scored_by_the_one_it_declares(tmp_path: Path) -> None:
    assert not evaluates(train)
    declared = declare(evaluate=score)(lambda config, trial: train(config, trial))
    assert evaluates(declared)
    scores = evaluate(declared, checkpoint(declared, tmp_path), config={"lr": 0.5}, seed=7)
    assert scores == {"test_loss": 1.5, "test_seed": 7.0, "test_lr": 0.5}
    assert all(type(value) is float for value in scores.values())


def test_a_class_is_scored_by_its_method_in_the_state_it_was_saved_in(tmp_path: Path) -> None:
    assert evaluates(Stepped)
    assert evaluate(Stepped, checkpoint(Stepped, tmp_path), config={"lr": 0.5}) == {"test_loss": -1.5}


def test_files_that_a_trial_has_saved_are_there_to_be_scored(tmp_path: Path) -> None:
    def with_files(config: Mapping[str, Any], trial: Trial) -> None:
        (trial.directory / "weights").write_text("0.25")
        trial.save(step=1, path=trial.directory / "weights")

    def score_files(config: Mapping[str, Any], trial: Trial) -> dict[str, float]:
        state = trial.restore()
        assert state is not None
        return {"test_loss": float(state["path"].read_text())}

    with_files.evaluate = score_files  # type: ignore[attr-defined]
    assert evaluate(with_files, checkpoint(with_files, tmp_path), config={}) == {"test_loss": 0.25}


def test_nothing_is_written_where_the_checkpoint_is(tmp_path: Path) -> None:
    def saves(config: Mapping[str, Any], trial: Trial) -> dict[str, float]:
        trial.restore()
        trial.save(step=9, weight=0.0)
        return {"test_loss": 1.0}

    declared = declare(evaluate=saves)(lambda config, trial: train(config, trial))
    found = checkpoint(declared, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    evaluate(declared, found, config={"lr": 0.5}, directory=tmp_path / "trials")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "not None"),
        ({}, "not {}"),
        (0.3, "not 0.3"),
        ({"test_loss": "0.3"}, "the score test_loss must be one number, not '0.3'"),
        ({"test_loss": [1.0, 2.0]}, r"not \[1.0, 2.0\]"),
    ],
)
def test_scores_are_numbers_by_name(returned: Any, said: str, tmp_path: Path) -> None:
    def wrong(config: Mapping[str, Any], trial: Trial) -> Any:
        trial.restore()
        return returned

    declared = declare(evaluate=wrong)(lambda config, trial: train(config, trial))
    with pytest.raises(TypeError, match=said):
        evaluate(declared, checkpoint(declared, tmp_path), config={"lr": 0.5})


def test_scoring_an_untrained_model_is_a_mistake(tmp_path: Path) -> None:
    declared = declare(evaluate=lambda config, trial: {"test_loss": 1.0})(lambda config, trial: train(config, trial))
    with pytest.raises(RuntimeError, match=r"trial\.restore\(\)"):
        evaluate(declared, checkpoint(declared, tmp_path), config={"lr": 0.5})


def test_a_damaged_checkpoint_is_not_scored(tmp_path: Path) -> None:
    (tmp_path / "best.json").write_text("{")
    with pytest.raises(DamagedCheckpoint):
        Restoring(tmp_path / "best.json")
