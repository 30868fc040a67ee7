"""What a trainable gets: its configuration nested, with the declared defaults."""

from __future__ import annotations

from typing import Any

from orchestrator.spec import Objective
from orchestrator.worker.loading import runner
from orchestrator.worker.messages import WorkerSettings
from trainables.declaration import Hyperparameter, declare
from trainables.trial import Trial


def test_dotted_names_are_nested_at_the_door() -> None:
    seen: list[Any] = []

    @declare(
        Hyperparameter(name="optim.lr", type=float, default=0.1, meaning="rate"),
        Hyperparameter(name="optim.name", type=str, default="sgd", meaning="which"),
        prepare=seen.append,
    )
    def train(config: dict[str, Any], trial: Trial) -> None:
        seen.append(config)

    fixed = {"optim.momentum": 0.9, "tags": {"a-b": 1}}
    settings = WorkerSettings(
        trainable="", base="", logs="", journals="", trials="", objective=Objective(metric="loss"), fixed=fixed
    )
    run = runner(train, settings)
    run(Trial(config={**fixed, "optim.lr": 0.5}))
    assert seen == [
        {"optim": {"lr": 0.1, "name": "sgd", "momentum": 0.9}, "tags": {"a-b": 1}},
        {"optim": {"lr": 0.5, "name": "sgd", "momentum": 0.9}, "tags": {"a-b": 1}},
    ]
