"""Which metrics are chosen as curves."""

from __future__ import annotations

import pytest

from orchestrator.analysis.diagnosis.curve_metrics import choose_curve_metrics


@pytest.mark.parametrize(
    ("metrics", "objective", "taken", "how"),
    [
        ("train_loss val_loss train_auroc val_auroc", "val_auroc", "train_loss and val_loss", "by convention"),
        ("loss val_loss acc val_acc", "val_acc", "acc and val_acc", "by their names"),
        ("loss val_loss acc val_acc", "score", "loss and val_loss", "by their names"),
        ("train/acc valid/acc", "valid/acc", "train/acc and valid/acc", "by their names"),
        ("trainLoss validationLoss", "validationLoss", "trainLoss and validationLoss", "by their names"),
        ("loss_train loss_test loss_val", "loss_val", "loss_train and loss_val", "by their names"),
        ("training_mse eval_mse", "eval_mse", "training_mse and eval_mse", "by their names"),
        ("loss", "loss", "loss", "by their names"),
        ("train_loss", "train_loss", "train_loss", "by their names"),
        ("val_loss seconds", "val_loss", "val_loss", "by their names"),
        ("score", "score", "score", "the objective"),
        ("train_loss val_auroc", "val_auroc", "val_auroc", "by their names"),
        ("seconds", "loss", "no metric", "by convention"),
    ],
)
def test_by_convention_or_by_name(metrics: str, objective: str, taken: str, how: str) -> None:
    names = choose_curve_metrics(metrics.split(), objective=objective, mode="min")
    assert (str(names), names.how) == (taken, how)


def test_what_is_declared_goes_before() -> None:
    metrics = ["train_loss", "val_loss", "fit", "held_out"]
    names = choose_curve_metrics(metrics, objective="val_loss", mode="min", declared=["fit", "held_out"])
    assert (names.train, names.validation, names.how) == ("fit", "held_out", "declared")
    names = choose_curve_metrics(metrics, objective="val_loss", mode="min", declared=["fit"])
    assert (names.train, names.validation) == ("fit", "")
    names = choose_curve_metrics(metrics, objective="val_loss", mode="min", declared=["never_reported"])
    assert names.how == "by convention"


def test_the_objectives_mode_is_known_and_others_are_guessed() -> None:
    names = choose_curve_metrics(["train_acc", "val_acc"], objective="val_acc", mode="max")
    assert (names.train_mode, names.validation_mode) == ("max", "max")
    names = choose_curve_metrics(["train_quality", "val_quality"], objective="val_quality", mode="max")
    assert names.validation_mode == "max"
    names = choose_curve_metrics(["train_error", "val_error"], objective="other", mode="max")
    assert (names.train_mode, names.validation_mode) == ("min", "min")
