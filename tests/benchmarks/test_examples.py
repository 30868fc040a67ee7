"""The page of what tuning brings: its numbers are those of the record, and what is better than ours is bold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.examples import EXAMPLES, FIGURES, PAGE, names, written


def figures(**changed: Any) -> dict[str, Any]:
    usual = {
        "trainable": "tabular",
        "data": "data/d.csv",
        "trials": 9,
        "seconds": 7,
        "date": "2026-01-01",
        "machine": "2 cores",
        "tuned": {"test_loss": 0.1, "test_accuracy": 0.8, "test_auroc": 0.85},
        "default": {"test_loss": 0.2, "test_accuracy": 0.7, "test_auroc": 0.75},
        "baselines": {"gradient boosting": {"test_accuracy": 0.9, "test_auroc": 0.84}},
    }
    return {"e": usual | changed}


def test_the_page_is_of_every_example_and_its_record() -> None:
    assert PAGE.read_text() == written(json.loads(FIGURES.read_text()))
    assert set(json.loads(FIGURES.read_text())) == set(names())


@pytest.mark.parametrize("baseline", [0.84, 0.86])
def test_what_is_better_is_bold(baseline: float) -> None:
    page = written(figures(baselines={"gradient boosting": {"test_accuracy": 0.9, "test_auroc": baseline}}))
    assert "| AUROC | 0.7500 | 0.8500 |" in page
    assert ("**0.8600**" in page) == (baseline > 0.85)


def test_less_is_better_of_an_error_and_forecasts_have_the_naive_ones() -> None:
    tuned = {"test_loss": 0.1, "test_mae": 3.0, "test_mase": 0.8, "test_mase_naive": 1.4}
    page = written(figures(tuned=tuned, default=tuned | {"test_mase": 0.7}, baselines={}))
    assert "| MASE | **0.7000** | 0.8000 | seasonal naive 1.00<br>naive 1.40 |" in page


def test_each_example_has_a_data_file_and_takes_the_test_part() -> None:
    assert len(names()) >= 9
    assert "01_learning_rate" not in names()
    assert all((EXAMPLES / f"{name}.yaml").exists() for name in names())
