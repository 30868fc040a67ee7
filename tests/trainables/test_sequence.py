"""The built-in `sequence`: its networks, its trainings, and what it answers of test parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from trainables.builtin.sequence import evaluate, train
from trainables.builtin.sequence_models import MODELS, blocks_for, heads_of, network
from trainables.contract import run
from trainables.trial import Trial

CONFIG = {"model": "gru", "width": 8, "layers": 1, "dropout": 0.0, "normalise": "series"}


def seasonal(rows: int = 240, *, groups: int = 0, season: int = 12) -> pd.DataFrame:
    """Series with a trend, a season and some noise; each group has units of its own."""
    rng = np.random.default_rng(0)
    at = np.arange(rows)
    frames = []
    for group in range(max(groups, 1)):
        y = np.sin(2 * np.pi * at / season) + 0.02 * at + 0.05 * rng.normal(size=rows)
        frames.append(pd.DataFrame({"who": f"g{group}", "at": at, "y": 10.0**group * (y + 5)}))
    frame = pd.concat(frames, ignore_index=True)
    return frame if groups else frame.drop(columns="who")


def waves(groups: int = 60, *, classes: int = 2) -> pd.DataFrame:
    """Sequences of other lengths; the class is how fast they swing."""
    rng = np.random.default_rng(0)
    frames = []
    for group in range(groups):
        at = np.arange(10 + group % 5)
        kind = group % classes
        x = np.sin(at * (0.4 + 0.8 * kind) + rng.uniform(0, 6)) + 0.1 * rng.normal(size=len(at))
        frames.append(pd.DataFrame({"who": group, "at": at, "x": x, "kind": f"k{kind}"}))
    return pd.concat(frames, ignore_index=True)


FORECAST = {"target": "y", "time": "at", "horizon": 6, "window": 24, "width": 8, "batch_size": 32, "lr": 0.02}
WHOLE = {"target": "kind", "time": "at", "group": "who", "width": 8, "batch_size": 16, "lr": 0.02}


def trained(frame: pd.DataFrame, directory: Path, config: dict[str, Any]) -> tuple[dict[str, float], dict[str, float]]:
    """The last report, and the scores of the test part."""
    frame.to_parquet(directory / "table.parquet")
    whole = {"data": directory / "table.parquet", "epochs": 3} | config
    trial = Trial(config=whole, device="cpu", directory=directory / "trial")
    run(train, trial)
    return dict(trial.history[-1].metrics), evaluate(
        whole, Trial(config=whole, device="cpu", directory=trial.directory)
    )


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("layers", [1, 3])
def test_a_network_answers_from_the_whole_window(model: str, layers: int) -> None:
    torch.manual_seed(0)
    net = network(CONFIG | {"model": model, "layers": layers}, inputs=3, outputs=4, window=30, forecast=True).eval()
    rows = torch.randn(2, 30, 3, requires_grad=True)
    outputs = net(rows)
    outputs[0].sum().backward()
    assert outputs.shape == (2, 4)
    assert rows.grad is not None
    reached = rows.grad.abs().sum(dim=-1) > 0
    assert reached[0].float().mean() > 0.9, "an early row may be lost to a ReLU, most are not"
    assert not reached[1].any(), "examples do not mix"


def test_the_convolution_has_as_many_blocks_as_the_window_needs() -> None:
    assert [blocks_for(window, 1) for window in (1, 5, 6, 13, 14, 61, 62)] == [1, 1, 2, 2, 3, 4, 5]
    assert blocks_for(10, 4) == 4


@pytest.mark.parametrize(
    ("width", "heads"), [(1, 1), (7, 1), (8, 1), (16, 2), (30, 3), (32, 4), (64, 8), (256, 8), (100, 5)]
)
def test_heads_divide_the_width(width: int, heads: int) -> None:
    assert heads_of(width) == heads


def test_a_normalised_window_is_forecast_alike_at_every_level() -> None:
    torch.manual_seed(0)
    net = network(CONFIG | {"normalise": "window"}, inputs=2, outputs=3, window=20, forecast=True).eval()
    rows = torch.randn(4, 20, 2)
    moved = rows.clone()
    moved[..., 0] = moved[..., 0] * 50 + 1000
    assert torch.allclose(net(moved), net(rows) * 50 + 1000, rtol=1e-3)
    still = torch.zeros(1, 20, 2)
    assert net(still).isfinite().all(), "a window without any change"


def test_it_learns_a_season_and_a_trend(tmp_path: Path) -> None:
    last, test = trained(seasonal(), tmp_path, FORECAST | {"epochs": 20})
    assert last["val_mase"] < 0.7, "the seasonal naive forecast is behind the trend"
    assert test["test_mase"] < 0.8
    assert test["test_season"] == 12
    assert test["test_mase"] == pytest.approx(test["test_mae"] / test["test_mae_seasonal_naive"], rel=1e-4)
    assert test["test_mae_naive"] > test["test_mae_seasonal_naive"] > 0
    assert test["test_mase_naive"] == pytest.approx(test["test_mae_naive"] / test["test_mae_seasonal_naive"])
    assert set(test) == {
        *("test_loss", "test_mae", "test_mase", "test_season"),
        *("test_mae_naive", "test_mae_seasonal_naive", "test_mase_naive"),
    }


def test_a_season_that_is_given_is_the_one_compared_with(tmp_path: Path) -> None:
    _, test = trained(seasonal(), tmp_path, FORECAST | {"season": 1})
    assert test["test_season"] == 1
    assert test["test_mae_naive"] == test["test_mae_seasonal_naive"]
    assert test["test_mase_naive"] == pytest.approx(1)


def test_several_series_in_units_of_their_own_are_learned_together(tmp_path: Path) -> None:
    last, test = trained(seasonal(groups=3), tmp_path, FORECAST | {"group": "who", "epochs": 8})
    assert last["val_mase"] < 1.2
    assert test["test_mae"] > 5 * test["test_mase"], "the mean error is that of the largest; mase weighs all alike"


@pytest.mark.parametrize("classes", [2, 3])
def test_it_learns_to_tell_sequences_apart(classes: int, tmp_path: Path) -> None:
    config = WHOLE | {"model": "tcn", "epochs": 15}
    last, test = trained(waves(90, classes=classes), tmp_path, config)
    assert last["val_accuracy"] > 0.65
    assert test["test_auroc"] > 0.85
    assert {"train_accuracy", "train_auroc", "val_auroc"} < last.keys()


def test_it_learns_a_number_of_a_whole_sequence(tmp_path: Path) -> None:
    loudness = np.random.default_rng(2).uniform(1, 5, 80)
    frame = waves(80).assign(kind=lambda rows: loudness[rows["who"]], x=lambda rows: rows["x"] * rows["kind"])
    last, test = trained(frame, tmp_path, WHOLE | {"epochs": 30})
    assert last["val_r2"] > 0.4
    assert test["test_rmse"] > 0


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("batch_size", [1, 7, 100_000])
def test_any_size_of_batch_will_do(model: str, batch_size: int, tmp_path: Path) -> None:
    last, _ = trained(seasonal(80), tmp_path, FORECAST | {"model": model, "batch_size": batch_size, "epochs": 1})
    assert last["val_mase"] > 0


def test_one_window_in_each_part_is_enough(tmp_path: Path) -> None:
    frame = seasonal(15)
    last, test = trained(frame, tmp_path, FORECAST | {"window": 6, "horizon": 3, "season": 2})
    assert np.isfinite([last["val_mase"], test["test_mase"]]).all()


def test_without_a_test_part_there_is_nothing_to_evaluate(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no test part: its share leaves it without rows"):
        trained(seasonal(), tmp_path, FORECAST | {"test": 0.0})


def test_a_longer_window_predicts_the_same_rows(tmp_path: Path) -> None:
    """So trials with other windows are comparable: the error of the seasonal naive forecast is the same."""
    found = []
    for window in (6, 30):
        (tmp_path / str(window)).mkdir()
        found.append(trained(seasonal(), tmp_path / str(window), FORECAST | {"window": window, "epochs": 1})[1])
    assert found[0]["test_mae_seasonal_naive"] == found[1]["test_mae_seasonal_naive"]
