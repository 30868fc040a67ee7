"""The article's model, compared with figures measured on the article's code."""

from __future__ import annotations

import random

import numpy as np
import pytest

from trainables.builtin.linear import train
from trainables.contract import run
from trainables.trial import Trial


def losses(**config: float) -> list[float]:
    trial = Trial(config=config)
    run(train, trial)
    return [report.metrics["loss"] for report in trial.history]


@pytest.mark.parametrize(
    ("lr", "last"),
    [(0.0001, 0.096), (0.001, 0.007), (0.003, 4e-5), (0.005, 9e-8), (0.008, 6e-23), (0.0085, 7e94)],
)
def test_last_loss_of_the_measured_rates(lr: float, last: float) -> None:
    assert losses(lr=lr)[-1] == pytest.approx(last, rel=0.07)


def test_the_articles_just_right_rate_diverges() -> None:
    assert losses(lr=0.01)[-1] > 1e90


def test_the_largest_rate_overflows_in_epoch_7() -> None:
    trial = Trial(config={"lr": np.float64(0.1)})  # which would otherwise become NaN, with a warning
    with pytest.raises(OverflowError):
        run(train, trial)
    assert [report.step for report in trial.history] == [1, 2, 3, 4, 5, 6, 7], "epochs 0 to 6 of the article"


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_starts_where_the_global_generator_would(seed: int) -> None:
    random.seed(seed)
    weight, bias = random.random(), random.random()
    untrained = sum((weight * x + bias - (2 * x + 1)) ** 2 for x in range(20))
    assert losses(lr=0.0, epochs=1, init_seed=seed) == [pytest.approx(untrained)]
