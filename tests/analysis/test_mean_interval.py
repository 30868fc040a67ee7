"""Intervals of means: inside what the metric allows, and Student's t where its bounds are far."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.analysis.compare.mean_interval import bounds, mean_interval


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9))
@settings(derandomize=True, deadline=None)
def test_a_share_stays_a_share(values: list[float]) -> None:
    low, high = mean_interval(values, "val_accuracy") or (math.nan, math.nan)
    mean = math.fsum(values) / len(values)
    assert -1e-12 <= low <= mean + 1e-12
    assert mean - 1e-12 <= high <= 1 + 1e-12


@given(st.lists(st.floats(1e-9, 1e9), min_size=2, max_size=9))
@settings(derandomize=True, deadline=None)
def test_an_error_stays_above_zero(values: list[float]) -> None:
    low, high = mean_interval(values, "rmse") or (math.nan, math.nan)
    assert 0 <= low <= high


@pytest.mark.parametrize(
    ("metric", "values", "expected"),
    [
        ("acc", [0.99, 1.0, 0.95], (0.0, 1.0)),
        ("top5_acc", [99.0, 100.0], (0.0, 100.0)),
        ("test_auroc", [0.5, 0.7], (0.0, 1.0)),
        ("val_mse", [0.1, 3.0], (0.0, math.inf)),
        ("loss", [0.1, 0.2], (-math.inf, math.inf)),  # of a density, it may be below 0
        ("reward", [0.1, 0.9], (-math.inf, math.inf)),
        ("acceleration", [-3.0, 0.5], (-math.inf, math.inf)),
    ],
)
def test_what_a_metric_may_be(metric: str, values: list[float], expected: tuple[float, float]) -> None:
    assert bounds(values, metric) == expected


def test_far_from_its_bounds_it_is_students() -> None:
    values = [0.50, 0.51, 0.52]
    assert mean_interval(values, "acc") == pytest.approx(mean_interval(values, "loss"), abs=1e-4)


def test_accuracies_near_one_give_no_accuracy_above_it() -> None:
    low, high = mean_interval([0.97, 0.99, 1.0], "acc") or (0.0, 0.0)
    assert 0.8 < low < 0.987 < high < 1


@pytest.mark.parametrize("values", [[], [0.5]])
def test_of_less_than_two_there_is_none(values: list[float]) -> None:
    assert mean_interval(values, "acc") is None
