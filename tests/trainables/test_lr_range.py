"""The learning-rate range test: which rates train, on curves whose answer is known, and on a training."""

from __future__ import annotations

import math
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.trainables.test_supervised import run
from trainables.supervised.lr_range import HIGHEST, LOWEST, UPDATES, RangeTest, instead_of_training, reading
from trainables.trial import Trial, TrialEnded

RATES = [LOWEST * (HIGHEST / LOWEST) ** (number / (UPDATES - 1)) for number in range(UPDATES)]


def seen(*, falls: float, rises: float, noise: float = 0.02, seed: int = 0) -> RangeTest:
    """The loss falls from 1 to 0.2 around one rate, and shoots up from another one."""
    rng = random.Random(seed)
    test = RangeTest(batch_size=8, optimizer="sgd")
    for rate in RATES:
        fall = 0.8 / (1 + falls / rate)
        loss = 1 - fall + (rate / rises) ** 2 + rng.gauss(0, noise)
        test.rates.append(rate)
        test.losses.append(loss)
        if loss > 5:
            break
    return test


@given(falls=st.floats(1e-5, 1e-2), decades=st.floats(1, 3), seed=st.integers(0, 99))
def test_the_range_lies_between_where_the_loss_falls_and_where_it_rises(
    falls: float, decades: float, seed: int
) -> None:
    rises = falls * 10**decades
    found = reading(seen(falls=falls, rises=rises, seed=seed))
    assert found is not None
    assert found.low <= falls
    assert found.low >= falls / 100
    assert falls / 3 <= found.high <= 3.5 * rises
    assert found.high / found.low >= 9.99
    assert found.rises == (rises < HIGHEST / 3) or rises > HIGHEST / 10


@settings(max_examples=500)
@given(seed=st.integers(0, 9999), level=st.floats(0.01, 100))
def test_noise_alone_is_no_fall(seed: int, level: float) -> None:
    rng = random.Random(seed)
    assert reading(RangeTest(rates=RATES, losses=[level * (1 + rng.gauss(0, 0.1)) for _ in RATES])) is None


def test_a_loss_that_only_rises_or_is_never_finite_suggests_nothing() -> None:
    assert reading(RangeTest(rates=RATES, losses=[1 + rate for rate in RATES])) is None
    assert reading(RangeTest(rates=RATES, losses=[math.nan for _ in RATES])) is None
    assert reading(RangeTest()) is None


def test_both_ends_are_numbers_one_would_write() -> None:
    found = reading(seen(falls=2e-4, rises=0.05))
    assert found is not None
    for end in (found.low, found.high):
        assert f"{end:.0e}"[0] in "13"
        assert end == float(f"{end:.0e}")


def test_it_runs_in_place_of_the_training_and_ends_once_the_loss_explodes() -> None:
    trial = Trial(config={}, device="cpu")
    with instead_of_training() as test, pytest.raises(TrialEnded):
        run(trial, epochs=5)
    assert not trial.history
    assert test.rates[:3] == pytest.approx(RATES[:3])
    assert 50 < len(test.rates) < UPDATES
    assert (test.batch_size, test.optimizer) == (8, "sgd")
    found = reading(test)
    assert found is not None
    assert found.low < 0.1 < 3 * found.high, "the rate by which this regression is learnt elsewhere"
    assert len(run(epochs=2)) == 2


def test_a_model_that_cannot_learn_has_no_learning_rate() -> None:
    class Deaf(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1, 1))

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return inputs[:, :1] * 0 + self.weight * 0

    with instead_of_training() as test, pytest.raises(TrialEnded):
        run(Trial(config={}, device="cpu"), model=lambda _: Deaf())
    assert len(test.rates) == UPDATES
    assert reading(test) is None
