"""Classes of Ray Tune in this process: stepped, saved and loaded as Ray does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ray import tune

from orchestrator.worker.ray_class import run
from trainables.trial import Trial, TrialEnded


class Example(tune.Trainable):
    """After "Training in Tune", https://docs.ray.io/en/latest/tune/api/trainable.html: class Trainable API."""

    seen: ClassVar[list[str]] = []

    def setup(self, config: dict[str, Any]) -> None:
        self.x, self.a = 0, config["a"]

    def step(self) -> dict[str, Any]:
        self.x += 1
        if self.x == self.config.get("dies_at"):
            raise KeyboardInterrupt
        return {"score": self.x * self.a, "iteration": self.training_iteration, "done": self.x == 5}

    def cleanup(self) -> None:
        self.seen.append("cleanup")


class WithFiles(Example):
    def save_checkpoint(self, checkpoint_dir: str) -> None:
        (Path(checkpoint_dir) / "state.json").write_text(json.dumps({"x": self.x}))

    def load_checkpoint(self, checkpoint: Any) -> None:
        self.x = json.loads((Path(checkpoint) / "state.json").read_text())["x"]


class WithMapping(Example):
    def save_checkpoint(self, checkpoint_dir: str) -> dict[str, int]:
        return {"x": self.x}

    def load_checkpoint(self, checkpoint: Any) -> None:
        self.x = checkpoint["x"]


def test_a_class_is_stepped_until_it_is_done_and_cleaned_up() -> None:
    Example.seen.clear()
    trial = Trial(config={"a": 2})
    run(Example, trial)
    assert [(each.step, each.metrics["score"], each.metrics["iteration"]) for each in trial.history] == [
        (step, 2 * step, step - 1) for step in range(1, 6)
    ]
    assert Example.seen == ["cleanup"]


@pytest.mark.parametrize("trainable", [WithFiles, WithMapping])
def test_another_attempt_goes_on_from_what_was_saved(trainable: type, tmp_path: Path) -> None:
    first = Trial(config={"a": 2, "dies_at": 4}, directory=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(trainable, first)
    second = Trial(config={"a": 2}, directory=tmp_path)
    run(trainable, second)
    assert [each.step for each in first.history] == [1, 2, 3]
    assert [(each.step, each.metrics["score"], each.metrics["iteration"]) for each in second.history] == [
        (4, 8, 3),
        (5, 10, 4),
    ]


def test_a_class_that_does_not_save_begins_again(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(Example, Trial(config={"a": 2, "dies_at": 4}, directory=tmp_path))
    again = Trial(config={"a": 2}, directory=tmp_path)
    run(Example, again)
    assert [each.step for each in again.history] == [1, 2, 3, 4, 5]


def test_it_is_cleaned_up_when_the_sweep_ends_the_trial() -> None:
    def ends(report: Any) -> None:
        raise TrialEnded

    Example.seen.clear()
    with pytest.raises(TrialEnded):
        run(Example, Trial(config={"a": 1}, sink=ends))
    assert Example.seen == ["cleanup"]


def test_a_step_without_metrics_is_refused() -> None:
    class Silent(tune.Trainable):
        def step(self) -> Any:
            return None

    with pytest.raises(TypeError, match="must return a mapping of metrics, not None"):
        run(Silent, Trial(config={}))
