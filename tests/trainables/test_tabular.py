"""The dense network on real tables: it learns, every hyperparameter has an effect, and scores are correct."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import datasets
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score, root_mean_squared_error
from sklearn.preprocessing import OneHotEncoder

from trainables.builtin import tabular, tabular_source
from trainables.builtin.tabular import network, train
from trainables.builtin.tabular_data import Table, load
from trainables.builtin.tabular_source import Choice
from trainables.contract import run
from trainables.data import cache
from trainables.evaluation import Restoring, evaluate, evaluates
from trainables.report import MEASURED
from trainables.supervised import training
from trainables.supervised.tasks import Task
from trainables.trial import Trial

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
        {"block": "resnet"},
        {"block": "resnet", "expansion": 1},
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


MODEL = {"activation": "relu", "dropout": 0.1, "width": 8, "batch_size": 4, "expansion": 3, "layers": 2}


def model_of(table: Table, **config: Any) -> torch.nn.Module:
    return network(table, {**MODEL, "block": "mlp", "categories": "one_hot", **config})


@pytest.fixture
def table() -> Table:
    """A table of three numbers, and two columns of text of two and of forty categories."""
    goal = Task(name="multiclass", outputs=3)
    categories = {"a": ("x", "y"), "b": tuple(map(str, range(40)))}
    return replace(load(CHURN, Choice(target="churn")), numbers=("n",) * 3, categories=categories, goal=goal)


def test_the_network_is_as_deep_and_wide_as_asked(table: Table) -> None:
    def shapes(**config: Any) -> list[tuple[int, ...]]:
        return [tuple(weight.shape) for weight in model_of(table, **config).parameters() if weight.dim() == 2]

    assert shapes(layers=0) == [(3, 45)]
    assert shapes(layers=3) == [(8, 45), (8, 8), (8, 8), (3, 8)]
    embedded = 3 + 2 + 13  # 1.6 · 40^0.56 = 12.6
    assert shapes(layers=1, categories="embedding") == [(3, 2), (41, 13), (8, embedded), (3, 8)]
    assert shapes(block="resnet") == [(8, 45), (24, 8), (8, 24), (24, 8), (8, 24), (3, 8)]


def test_one_hot_columns_are_those_of_scikit_learn(table: Table) -> None:
    codes = torch.tensor([[1, 40], [2, 1], [2, 7]])
    rows = torch.cat([torch.randn(3, 3), codes.float()], dim=1)
    found = model_of(table)[0](rows)
    encoder = OneHotEncoder(categories=[[1, 2], list(range(1, 41))], sparse_output=False)
    assert torch.equal(found[:, :3], rows[:, :3])
    assert found[:, 3:].tolist() == encoder.fit_transform(codes).tolist()


@pytest.mark.parametrize("categories", ["one_hot", "embedding"])
def test_an_unknown_category_is_zeros(categories: str, table: Table) -> None:
    found = model_of(table, categories=categories)[0](torch.tensor([[0.5, 1.0, 2.0, 0.0, 0.0]]))
    assert found[0, :3].tolist() == [0.5, 1.0, 2.0]
    assert found.shape[1] > 3
    assert not found[0, 3:].any()


def test_a_resnet_block_adds_to_what_comes_in(table: Table) -> None:
    model = model_of(table, block="resnet", layers=1).eval()
    block = model[2]
    assert [type(each).__name__ for each in block] == ["BatchNorm1d", "Linear", "ReLU", "Dropout", "Linear"]
    torch.nn.init.zeros_(block[-1].weight)
    torch.nn.init.zeros_(block[-1].bias)
    rows = torch.randn(5, 8)
    assert torch.equal(block(rows), rows)


def test_a_resnet_cannot_take_rows_one_by_one(tmp_path: Path) -> None:
    iris = saved(datasets.load_iris, tmp_path) | {"epochs": 1, "block": "resnet"}
    with pytest.raises(ValueError, match="batch_size must be 2 at least"):
        history(**iris, batch_size=1)
    assert history(**iris, batch_size=89)  # of 90 rows: none is left alone


@pytest.mark.parametrize(
    "change",
    [{"block": "resnet"}, {"categories": "embedding"}, {"block": "resnet", "categories": "embedding"}],
    ids=str,
)
def test_all_forms_reach_what_the_plain_one_does(change: dict[str, Any]) -> None:
    scores = history(data=CHURN, target="churn", epochs=4, lr=3e-3, dropout=0.3, batch_size=256, **change)
    assert max(score["val_auroc"] for score in scores) >= 0.835


@pytest.mark.parametrize(
    ("load_it", "score", "least"),
    [
        (datasets.load_breast_cancer, "val_auroc", 0.97),
        (datasets.load_wine, "val_accuracy", 0.9),
    ],
)
def test_other_tables_of_scikit_learn(load_it: Callable[..., Any], score: str, least: float, tmp_path: Path) -> None:
    for block in ("mlp", "resnet"):
        last = history(**saved(load_it, tmp_path), epochs=20, lr=1e-2, batch_size=32, width=16, block=block)[-1]
        assert last[score] >= least


def test_a_learning_rate_beyond_reason_reports_what_is_not_finite(tmp_path: Path) -> None:
    scores = history(**saved(datasets.load_diabetes, tmp_path), epochs=3, optimizer="sgd", lr=1e6)
    assert len(scores) == 3
    assert not torch.isfinite(torch.tensor(scores[-1]["val_loss"]))


# ------------------------------------------------------------------------------------------------ leaks


@pytest.fixture
def leaking(tmp_path: Path) -> dict[str, Any]:
    """Ten rows of each of 40 patients, each seen on a day of their own, whose diagnosis a coin decides. Who has seen
    another row of the patient knows it by the fingerprint; nobody else can."""
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(40), 10)
    pd.DataFrame(
        {
            "patient": [f"p{number}" for number in patient],
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(patient, unit="D"),
            "fingerprint": [f"f{number}" for number in patient],
            "noise": rng.normal(size=400),
            "ill": np.where(rng.random(40) < 0.5, "yes", "no")[patient],
        }
    ).to_csv(tmp_path / "patients.csv", index=False)
    return {"data": tmp_path / "patients.csv", "target": "ill", "epochs": 15, "lr": 0.03, "batch_size": 32}


def test_a_random_split_leaks_what_rows_share(leaking: dict[str, Any]) -> None:
    assert history(**leaking)[-1]["val_auroc"] > 0.99
    assert history(**leaking, ignore=["patient", "day"])[-1]["val_auroc"] > 0.99


@pytest.mark.parametrize("split", [{"time": "day"}, {"group": "patient"}], ids=str)
def test_a_split_in_time_or_by_groups_does_not(split: dict[str, Any], leaking: dict[str, Any]) -> None:
    last = history(**leaking, **split)[-1]
    assert last["train_auroc"] > 0.99, "what is learnt is the leak"
    assert 0.3 < last["val_auroc"] < 0.7
    assert last["val_loss"] > 0.6


@pytest.mark.parametrize("column", ["day", "patient"])
def test_what_orders_or_groups_rows_is_no_feature(column: str, leaking: dict[str, Any]) -> None:
    choice = {"day": {"time": "day"}, "patient": {"group": "patient"}}[column]
    table = load(leaking["data"], Choice(target="ill", **choice))
    assert column not in {*table.numbers, *table.categories}
    table = load(leaking["data"], Choice(target="ill"))
    assert column in {*table.numbers, *table.categories}


def test_times_may_be_text_times_or_numbers(tmp_path: Path) -> None:
    frame = datasets.load_iris(as_frame=True).frame
    times = pd.Timestamp("2023-12-31 23:00") + pd.to_timedelta(np.random.default_rng(0).permutation(150), unit="h")
    frame.assign(time=times).to_parquet(tmp_path / "times.parquet")
    frame.assign(time=times.astype("int64")).to_csv(tmp_path / "numbers.csv")
    frame.assign(time=times.strftime("%Y-%m-%dT%H:%M:%S+02:00")).to_csv(tmp_path / "text.csv")
    choice = Choice(target="target", time="time")
    rows = [load(tmp_path / name, choice).rows for name in ("times.parquet", "numbers.csv", "text.csv")]
    for part in ("train", "validation", "test"):
        assert len({tuple(getattr(each, part)) for each in rows}) == 1
    assert rows[0].test.tolist() == sorted(np.argsort(times)[-30:].tolist())


# ------------------------------------------------------------------------------------------------ the test set


def trained(directory: Path, **config: Any) -> tuple[dict[str, float], torch.nn.Module]:
    """Train and save a network; returns its scores on the test set, and the network."""
    run(train, Trial(config=config, device="cpu", directory=directory, seed=3))
    found = Restoring(directory / "checkpoints" / "last.pt")
    table = load(config["data"], Choice(target=config["target"]))
    model = network(table, tabular.train.declaration.defaults() | config).eval()
    model.load_state_dict(found.found.state["training"]["model"])
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
