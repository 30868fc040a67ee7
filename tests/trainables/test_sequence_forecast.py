"""Forecasts are measured as the literature does, beside forecasts that need no training."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainables.builtin.sequence_forecast import Forecast
from trainables.builtin.sequence_naive import mean_errors, naive_forecasts, season_of


@given(st.integers(1, 9), st.integers(1, 14), st.integers(2, 30))
def test_naive_forecasts_are_the_last_value_and_that_of_a_season_ago(season: int, horizon: int, rows: int) -> None:
    values = np.random.default_rng(rows).normal(size=rows)
    last = np.arange(rows)
    naive, seasonal = naive_forecasts(values, np.zeros(rows, dtype=int), last, horizon, season)
    for origin in last:
        for ahead in range(1, horizon + 1):
            at = origin + ahead
            while at > origin:
                at -= season
            assert naive[origin, ahead - 1] == values[origin]
            np.testing.assert_equal(seasonal[origin, ahead - 1], values[at] if at >= 0 else np.nan)


def test_a_season_ago_is_not_in_the_series_before() -> None:
    first = np.array([0, 0, 0, 3, 3, 3])
    _, seasonal = naive_forecasts(np.arange(6.0), first, np.array([2, 3, 5]), 2, 3)
    np.testing.assert_array_equal(seasonal, [[0, 1], [np.nan, np.nan], [3, 4]])


@pytest.mark.parametrize("period", [4, 7, 12, 52])
@pytest.mark.parametrize("trend", [0.0, 0.05])
def test_a_season_is_found_through_trend_noise_and_gaps(period: int, trend: float) -> None:
    rng = np.random.default_rng(period)
    rows = np.arange(period * 12)
    pattern = rng.normal(size=period)
    pattern = np.cumsum(pattern - pattern.mean())
    values = pattern[rows % period] / pattern.std() + trend * rows + 0.3 * rng.normal(size=len(rows))
    values[rng.random(len(rows)) < 0.1] = np.nan
    assert season_of([values]) == period
    assert season_of([values, values[: len(values) // 2] * 100, values[:5]]) == period


def test_where_there_is_no_season_it_is_one_row() -> None:
    rng = np.random.default_rng(0)
    assert season_of([np.arange(100.0)]) == 1
    assert season_of([rng.normal(size=2000)]) == 1
    assert season_of([np.array([1.0, 2.0, 1.0])]) == 1
    assert season_of([]) == 1


def test_errors_are_those_of_each_series_over_what_is_known() -> None:
    forecasts, wanted = (
        np.array([[1.0, 2.0], [3.0, np.nan], [0.0, 0.0]]),
        np.array([[2.0, np.nan], [3.0, 4.0], [5.0, 7.0]]),
    )
    np.testing.assert_array_equal(mean_errors(forecasts, wanted, np.array([0, 0, 2]), 3), [0.5, np.nan, 6.0])


def batch(*rows: list[float], unit: float = 2.0, naive: float = 4.0) -> torch.Tensor:
    return torch.tensor([[*row, unit, naive] for row in rows])


def test_scores_are_in_the_units_of_the_target_and_beside_the_seasonal_naive_forecast() -> None:
    targets = torch.cat([batch([1.0, math.nan], [2.0, 2.0]), batch([0.0, 0.0], unit=1.0, naive=0.5)])
    outputs = torch.tensor([[2.0, 99.0], [2.0, 0.0], [0.0, 1.0]])
    scores = Forecast().scores(outputs, targets)
    assert scores["mae"] == pytest.approx((2 + 0 + 4 + 0 + 1) / 5)
    assert scores["mase"] == pytest.approx((2 / 4 + 0 + 4 / 4 + 0 + 1 / 0.5) / 5)


def test_series_without_an_error_to_compare_with_do_not_count() -> None:
    targets = torch.cat([batch([1.0]), batch([0.0], naive=math.nan), batch([0.0], naive=0.0)])
    outputs = torch.tensor([[2.0], [5.0], [5.0]])
    assert Forecast().scores(outputs, targets)["mase"] == pytest.approx(0.5)
    assert Forecast().scores(outputs[1:], targets[1:]).keys() == {"mae"}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_outputs_that_are_not_finite_score_nan(value: float) -> None:
    scores = Forecast().scores(torch.tensor([[value, 1.0]]), batch([math.nan, 1.0]))
    assert scores.keys() == {"mae", "mase"}
    assert all(map(math.isnan, scores.values()))


@pytest.mark.parametrize(
    ("kind", "wanted"), [("mae", (3 + 0.5) / 2), ("mse", (9 + 0.5) / 2), ("huber", (2.5 + 0.25) / 2)]
)
def test_a_loss_is_the_mean_over_examples_of_what_is_known(kind: str, wanted: float) -> None:
    targets = batch([0.0, math.nan], [1.0, 0.0])
    outputs = torch.tensor([[3.0, 7.0], [1.0, 1.0]], requires_grad=True)
    loss = Forecast(kind=kind).loss(outputs, targets)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(wanted)
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()
    assert outputs.grad[0, 1] == 0, "what is missing teaches nothing"
