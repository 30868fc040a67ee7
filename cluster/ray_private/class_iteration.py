"""The count of steps that an object of ``tune.Trainable`` shows as its ``training_iteration``."""

from __future__ import annotations

from typing import Any

from cluster.ray_private.names import CLASS_ITERATION


def set_iteration(trainable: Any, iteration: int) -> None:
    """Set the count, as Ray Tune does after each step and when it restores a checkpoint."""
    if CLASS_ITERATION.find() is not None:
        trainable._iteration = iteration
