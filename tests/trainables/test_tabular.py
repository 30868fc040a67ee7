"""The dense network on real tables: it learns, every hyperparameter has an effect, and scores are correct."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from sklearn import datasets
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score, root_mean_squared_error

from trainables.builtin import tabular, tabular_source
from trainables.builtin.tabular import network, train
from trainables.builtin.tabular_data import load
from trainables.builtin.tabular_source import Choice
from trainables.contract import Trial, run
from trainables.data import cache
from trainables.evaluation import Restoring, evaluate, evaluates
from trainables.report import MEASURED
from trainables.supervised import training
from trainables.supervised.tasks import Task

CHURN = Path(__file__).parents[2] / "examples" / "data" / "telco_churn.csv"


def history(**config: Any) -> list[dict[str, float]]:
    trial = Trial(config=config, device="cpu")
    run(train, trial)
    return [{name: value for name, value in report.metrics.items() if name not in MEASURED} for report in trial.history]


def saved(load: Callable[..., Any], path: Path) -> dict[str, Any]:
    """Save a dataset of scikit-learn to a file; returns the hyperparameters that name it."""
    frame: pd.DataFrame = load(as_frame=True).frame
    frame.to_parquet(path / "table.parquet")
    return {"data": path / "table.parquet", "target": "target"}


def test_churn_reaches_the_promised_auroc() -> None:
    scores = history(data=CHURN, target="churn", epochs=8, lr=3e-3, dropout=0.3)
    assert max(score["val_auroc"] for score in scores) >= 0.84


def test_scores_are_those_of_the_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    trainings: list[training.Training] = []

    class Watched(training.Training):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            trainings.append(self)

    monkeypatch.setattr(training, "Training", Watched)
    last = history(data=CHURN, target="churn", epochs=2)[-1]

    model = trainings[0].scored_model.eval()
    for name, part in (("train", trainings[0].train_sample), ("val", trainings[0].validation)):
        inputs, targets = part.batch(torch.arange(len(part)))
        with torch.inference_mode():
            probabilities = model(inputs)[:, 0].double().sigmoid().numpy()
        assert last[f"{name}_auroc"] == pytest.approx(roc_auc_score(targets, probabilities))
        assert last[f"{name}_accuracy"] == pytest.approx(accuracy_score(targets, probabilities > 0.5))


def test_multiclass(tmp_path: Path) -> None:
    last = history(**saved(datasets.load_digits, tmp_path), epochs=8, lr=1e-2, width=32)[-1]
    assert last["val_accuracy"] > 0.9
    assert last["val_auroc"] > 0.98


def test_regression_is_scored_in_the_targets_units(tmp_path: Path) -> None:
    last = history(**saved(datasets.load_diabetes, tmp_path), epochs=20, lr=3e-3, batch_size=32)[-1]
    assert last["val_r2"] > 0.35
    assert 45 < last["val_rmse"] < 70, "the target's own deviation is 77"


@pytest.mark.parametrize(
    "change",
    [
        {"lr": 0.01},
        {"batch_size": 16},
        {"layers": 0},
        {"width": 8},
        {"activation": "gelu"},
        {"activation": "tanh"},
        {"dropout": 0.5},
        {"weight_decay": 0.1},
        {"optimizer": "sgd"},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"split_seed": 1},
        {"validation": 0.3},
        {"test": 0.0},
        {"task": "regression"},
    ],
    ids=str,
)
def test_each_hyperparameter_changes_the_training(change: dict[str, Any], tmp_path: Path) -> None:
    iris = saved(datasets.load_iris, tmp_path) | {"epochs": 1}
    assert history(**iris, **change) != history(**iris)


def test_momentum_is_sgds(tmp_path: Path) -> None:
    iris = saved(datasets.load_iris, tmp_path) | {"epochs": 1, "batch_size": 16}
    assert history(**iris, optimizer="sgd", momentum=0.5) != history(**iris, optimizer="sgd")
    assert history(**iris, optimizer="adam", momentum=0.5) == history(**iris, optimizer="adam")


def test_prepared_once_trials_find_the_table_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = saved(datasets.load_iris, tmp_path) | {"epochs": 1}
    tabular.prepare({**tabular.train.declaration.defaults(), **config})
    monkeypatch.setattr(cache, "_read", lambda entry: pytest.fail("a trial reads the table's files"))
    monkeypatch.setattr(tabular_source, "read_table", lambda path: pytest.fail("a trial reads the table"))
    assert history(**config)


def test_nothing_is_prepared_for_searched_files_and_nothing_fails_there(tmp_path: Path) -> None:
    defaults = tabular.train.declaration.defaults()
    tabular.prepare(defaults | {"target": "churn"})
    tabular.prepare(defaults | {"data": CHURN, "target": "nowhere"})
    tabular.prepare(defaults | {"data": tmp_path / "nowhere.csv", "target": "churn"})


def test_the_network_is_as_deep_and_wide_as_asked() -> None:
    def shapes(**config: Any) -> list[tuple[int, ...]]:
        table = replace(
            load(CHURN, Choice(target="churn")), features=("a",) * 5, goal=Task(name="multiclass", outputs=3)
        )
        model = network(table, {"activation": "relu", "dropout": 0.1, "width": 8} | config)
        return [tuple(weight.shape) for weight in model.parameters() if weight.dim() == 2]

    assert shapes(layers=0) == [(3, 5)]
    assert shapes(layers=3) == [(8, 5), (8, 8), (8, 8), (3, 8)]


def test_a_learning_rate_beyond_reason_reports_what_is_not_finite(tmp_path: Path) -> None:
    scores = history(**saved(datasets.load_diabetes, tmp_path), epochs=3, optimizer="sgd", lr=1e6)
    assert len(scores) == 3
    assert not torch.isfinite(torch.tensor(scores[-1]["val_loss"]))


# ------------------------------------------------------------------------------------------------ the test set


def trained(directory: Path, **config: Any) -> tuple[dict[str, float], torch.nn.Module]:
    """Train and save a network; returns its scores on the test set, and the network."""
    run(train, Trial(config=config, device="cpu", directory=directory, seed=3))
    found = Restoring(directory / "checkpoints" / "last.pt")
    model = torch.nn.Sequential(
        torch.nn.Linear(found.found.state["training"]["model"]["0.weight"].shape[1], 8),
        torch.nn.ReLU(),
        torch.nn.Linear(8, 1),
    )
    state = {name.replace("3.", "2."): value for name, value in found.found.state["training"]["model"].items()}
    model.load_state_dict(state)
    return evaluate(train, found, config=config, device="cpu"), model


def test_the_test_scores_are_those_that_scikit_learn_finds(tmp_path: Path) -> None:
    config = {"data": CHURN, "target": "churn", "epochs": 2, "layers": 1, "width": 8, "dropout": 0.5}
    scores, model = trained(tmp_path, **config)
    table = load(CHURN, Choice(target="churn"))
    inputs, targets = table.test_part()
    with torch.no_grad():
        probabilities = model(torch.from_numpy(inputs))[:, 0].double().sigmoid().numpy()
    assert len(targets) == len(table.rows.test) == 1409
    assert scores.keys() == {"test_loss", "test_accuracy", "test_auroc"}
    assert scores["test_auroc"] == pytest.approx(roc_auc_score(targets, probabilities), abs=1e-9)
    assert scores["test_accuracy"] == pytest.approx(accuracy_score(targets, probabilities > 0.5))
    assert scores["test_loss"] == pytest.approx(log_loss(targets, probabilities), abs=1e-6)


def test_the_test_scores_of_a_regression_are_in_the_targets_units(tmp_path: Path) -> None:
    config = saved(datasets.load_diabetes, tmp_path) | {"epochs": 5, "lr": 0.01, "layers": 1, "width": 8}
    scores, model = trained(tmp_path, **config)
    table = load(config["data"], Choice(target="target"))
    inputs, _ = table.test_part()
    wanted = pd.read_parquet(config["data"])["target"].to_numpy()
    mean = wanted[table.rows.train].mean()
    with torch.no_grad():
        given = model(torch.from_numpy(inputs))[:, 0].double().numpy() * table.goal.scale + mean
    assert scores["test_rmse"] == pytest.approx(root_mean_squared_error(wanted[table.rows.test], given), rel=1e-5)
    assert scores["test_r2"] == pytest.approx(r2_score(wanted[table.rows.test], given), abs=1e-5)


def test_without_a_test_part_there_is_nothing_to_evaluate(tmp_path: Path) -> None:
    config = saved(datasets.load_iris, tmp_path) | {"epochs": 1, "test": 0.0}
    run(train, Trial(config=config, device="cpu", directory=tmp_path))
    assert evaluates(train)
    with pytest.raises(ValueError, match="no test set: its share leaves it without rows"):
        evaluate(train, Restoring(tmp_path / "checkpoints" / "last.pt"), config=config, device="cpu")
