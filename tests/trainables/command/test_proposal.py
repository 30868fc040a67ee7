"""Patterns proposed for lines that programs print for people."""

from __future__ import annotations

import math

import pytest

from trainables.command.metrics.pattern import reader
from trainables.command.metrics.proposal import PAIRS, proposed_pattern


@pytest.mark.parametrize(
    ("line", "objective", "read"),
    [
        ("step 250: train loss 2.0, val loss 1.9", "val_loss", {"step": 250, "val_loss": 1.9}),  # as nanoGPT
        ("Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.3", "loss", {"epoch": 1, "loss": 2.3}),  # as PyTorch's MNIST
        ("Epoch [3/10], Validation Loss: 0.31", "val_loss", {"epoch": 3, "val_loss": 0.31}),
        ("Epoch 3 | Val Loss 0.3 | Val Acc 91.2%", "val_acc", {"epoch": 3, "val_acc": 91.2}),
        ("[epoch 5] valid accuracy = .93", "val_acc", {"epoch": 5, "val_acc": 0.93}),
        ("Global step   500 eval-loss  1.5e-3", "eval_loss", {"global_step": 500, "eval_loss": 0.0015}),
        ("iter 10 valloss -3 time 1ms", "val_loss", {"iteration": 10, "val_loss": -3}),
        ("* Test Acc 0.9", "test_accuracy", {"test_accuracy": 0.9}),
    ],
)
def test_a_line_with_the_objective_in_words(line: str, objective: str, read: dict[str, float]) -> None:
    pattern = proposed_pattern(["starting", line], objective)
    assert reader(pattern)(line) == read


def test_a_loss_that_is_not_a_number_is_read() -> None:
    pattern = proposed_pattern(["epoch 1 val loss 0.5"], "val_loss")
    assert math.isnan(reader(pattern)("epoch 2 val loss nan")["val_loss"])


@pytest.mark.parametrize(
    ("line", "objective"),
    [
        ("step 0: train loss 4.0, val loss 4.2", "loss"),  # which of them?
        ("Accuracy: 9801/10000 (98%)", "accuracy"),
        ("Acc@1 76.1 Acc@5 92.3", "acc1"),
        ("val loss improved", "val_loss"),
        ("val loss 3abc", "val_loss"),
        ("loss", "loss"),
        ("", "loss"),
        ("loss 1", "val/loss"),  # no name of a group
    ],
)
def test_nothing_is_proposed_for_a_line_without_it(line: str, objective: str) -> None:
    assert not proposed_pattern([line], objective)


def test_names_and_numbers_with_marks_come_first() -> None:
    assert proposed_pattern(["step 1: val loss 3", "val_loss: 3"], "val_loss") == PAIRS
