"""What the three searches of the churn example share: its configurations, and its training with their own reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

EPOCHS = 30
TRIALS = 60
GRACE, FACTOR = 2, 3

CONFIGURATIONS = "configurations.json"
SCORES = "scores.txt"
"""Files in the working directory: what is to be tried, in that order; and the best AUROC of each trial."""


def configurations() -> list[dict[str, Any]]:
    """The same for all, so that no search has better luck than another."""
    found: list[dict[str, Any]] = json.loads(Path(CONFIGURATIONS).read_text())
    return found


def train(config: dict[str, Any], *, data: str, scores: str, report: Callable[[int, float], None]) -> None:
    """The built-in trainable's training, on one CPU; each epoch's AUROC is reported.

    Args:
        config: One of the configurations.
        data: The table.
        scores: The file that takes the best AUROC.
        report: Given the epoch and its AUROC; may raise to end the trial.
    """
    import torch

    from trainables.builtin import tabular
    from trainables.contract import Report, Trial

    torch.set_num_threads(1)
    best = 0.0

    def sink(reported: Report) -> None:
        nonlocal best
        best = max(best, reported.metrics["val_auroc"])
        with Path(scores).open("a") as file:  # at each report: Ray Tune ends a trial by ending its process
            file.write(f"{best}\n")
        report(reported.step, reported.metrics["val_auroc"])

    whole = {**config, "data": data, "target": "churn", "epochs": EPOCHS}
    tabular.train(whole, Trial(config=whole, number=0, seed=0, sink=sink))
