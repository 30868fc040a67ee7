"""Runs an unmodified class of Ray Tune, a ``tune.Trainable`` with ``setup`` and ``step``, as a trainable.

Each trial has an object of its own, so ``reset_config`` is not called. Importing Ray Tune takes the process a second,
which such a class has spent already.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cluster.ray_private.class_iteration import set_iteration
from orchestrator.worker.ray_metrics import Metrics
from trainables.trial import Trial


def run(trainable: type, trial: Trial) -> None:
    """Step the class until it is done: a step returns ``done: True``, or the sweep ends the trial.

    Its state is saved after each step if it has ``save_checkpoint``, and loaded when another attempt begins.

    Args:
        trainable: The class.
        trial: Takes reports and checkpoints.

    Raises:
        TrialEnded: The sweep has ended the trial.
        TypeError: ``step()`` returned no metrics.
    """
    from ray.tune import Trainable

    saves = trainable.save_checkpoint is not Trainable.save_checkpoint  # type: ignore[attr-defined]
    restored = trial.restore() if saves else None
    model = trainable(config=dict(trial.config))
    try:
        metrics = Metrics(trial)
        if restored is not None:
            metrics.step = restored["step"]
            set_iteration(model, metrics.step)
            model.load_checkpoint(restored["checkpoint"] if "checkpoint" in restored else str(restored["path"]))
        done = False
        while not done:
            result = model.step()
            if not isinstance(result, Mapping):
                raise TypeError(f"step() must return a mapping of metrics, not {result!r:.80}")
            metrics.step += 1
            set_iteration(model, metrics.step)
            if saves:
                _save(model, trial, metrics.step)
            done = metrics.report(result)
    finally:
        model.stop()


def _save(model: Any, trial: Trial, step: int) -> None:
    """Save the state: the files that the class writes, or the mapping that it returns instead."""
    with tempfile.TemporaryDirectory(prefix="checkpoint-") as directory:
        state = model.save_checkpoint(directory)
        if isinstance(state, Mapping):
            trial.save(step=step, checkpoint=dict(state))
        else:
            trial.save(step=step, path=Path(state or directory))
