"""Supervised training: epochs, order of examples, precision, and failures."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from trainables.contract import Report, Trial, TrialEnded
from trainables.supervised import Examples, Precision, Training, fit
from trainables.tasks import Task


def make(*, lr: float = 0.1, seed: int = 0, precision: Precision = "float32", rows: int = 50) -> Training:
    """A linear regression with two inputs, which 30 epochs learn."""
    torch.manual_seed(0)
    inputs = torch.randn(rows + 20, 2)
    targets = inputs @ torch.tensor([1.0, -2.0]) + 0.5
    model = nn.Linear(2, 1)
    return Training(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=lr),
        task=Task(name="regression"),
        train=Examples(inputs=inputs[:rows], targets=targets[:rows]),
        validation=Examples(inputs=inputs[rows:], targets=targets[rows:]),
        batch_size=8,
        seed=seed,
        precision=precision,
    )


def history(training: Training, epochs: int) -> list[Report]:
    trial = Trial(config={})
    fit(training, trial, epochs=epochs)
    return trial.history


@pytest.mark.parametrize(("precision", "r2"), [("float32", 0.9999), ("bfloat16", 0.99), ("float16", 0.99)])
def test_it_learns(precision: Precision, r2: float) -> None:
    last = history(make(precision=precision), 30)[-1]
    assert last.step == 30
    assert last.metrics["val_r2"] > r2
    assert last.metrics.keys() == {"train_loss", "train_rmse", "train_r2", "val_loss", "val_rmse", "val_r2"}


def test_the_seed_is_that_of_the_order() -> None:
    assert history(make(seed=1), 3) == history(make(seed=1), 3)
    assert history(make(seed=1), 3) != history(make(seed=2), 3)


def test_an_epoch_uses_every_row_once_in_an_order_of_its_own() -> None:
    class Memory(nn.Linear):
        seen: list[torch.Tensor]

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            if self.training:
                self.seen.append(rows)
            return super().forward(rows)

    training = make()
    model = Memory(2, 1)
    training.model = model
    orders = []
    for _ in range(2):
        model.seen = []
        training.run_epoch()
        assert [len(batch) for batch in model.seen] == [8] * 6 + [2]
        orders.append(torch.cat(model.seen))
    rows = [sorted(map(tuple, order.tolist())) for order in (*orders, training.train.inputs)]
    assert rows[0] == rows[1] == rows[2]
    assert not torch.equal(*orders)


def test_training_goes_on_from_the_epoch_it_is_at() -> None:
    whole = history(make(), 5)
    training = make()
    assert history(training, 2) + history(training, 5) == whole


def test_scores_are_taken_without_dropout_and_change_nothing() -> None:
    training = make()
    training.model = nn.Sequential(nn.Dropout(0.5), training.model)
    assert training.scores() == training.scores()
    assert not training.predict(training.train.inputs).requires_grad


def test_a_loss_that_is_not_finite_is_reported() -> None:
    reports = history(make(lr=1e6), 30)
    assert len(reports) == 30
    assert math.isnan(reports[-1].metrics["val_loss"])
    assert math.isnan(reports[-1].metrics["val_r2"])


def test_the_end_of_the_trial_leaves_the_loop() -> None:
    def end(report: Report) -> None:
        if report.step == 2:
            raise TrialEnded

    training = make()
    with pytest.raises(TrialEnded):
        fit(training, Trial(config={}, sink=end), epochs=5)
    assert training.epoch == 2
