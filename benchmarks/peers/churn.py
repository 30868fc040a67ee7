"""What the peers of the churn example share: its space, and its training with their own reports in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

EPOCHS = 30
TRIALS = 60
GRACE, FACTOR = 2, 3


def space(trial: Any) -> None:
    """The example's space, as Optuna and Ray Tune's OptunaSearch have it defined: while it is drawn from."""
    trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    trial.suggest_categorical("batch_size", [32, 64, 128, 256])
    layers = trial.suggest_int("layers", 1, 4)
    trial.suggest_int("width", 16, min(256, 512 // layers), log=True)
    trial.suggest_categorical("activation", ["relu", "gelu", "tanh"])
    trial.suggest_float("dropout", 0.0, 0.6)
    trial.suggest_float("weight_decay", 1e-6, 1e-1, log=True)
    if trial.suggest_categorical("optimizer", ["sgd", "adam", "adamw"]) == "sgd":
        trial.suggest_float("momentum", 0.5, 0.99)


def train(
    config: dict[str, Any], *, data: str, stamp: str, threshold: float, report: Callable[[int, float], None]
) -> None:
    """The built-in trainable's training, on one CPU; each epoch's AUROC is reported.

    Args:
        config: A point of the space.
        data: The table.
        stamp: A file that is made when an AUROC is at least the threshold.
        threshold: Of the AUROC.
        report: Given the epoch and its AUROC; may raise to end the trial.
    """
    import torch

    from trainables import tabular
    from trainables.contract import Report, Trial

    torch.set_num_threads(1)

    def sink(reported: Report) -> None:
        auroc = reported.metrics["val_auroc"]
        if auroc >= threshold and not Path(stamp).exists():
            Path(stamp).write_text(str(time.time()))
        report(reported.step, auroc)

    whole = {**config, "data": data, "target": "churn", "epochs": EPOCHS}
    tabular.train(whole, Trial(config=whole, number=0, seed=0, sink=sink))
