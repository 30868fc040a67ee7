"""Scores a trained model on test data, which no trial sees, with the ``evaluate`` of its trainable.

For a function, ``evaluate(config, trial)`` is set by ``declare(evaluate=...)`` or ``train.evaluate = ...``. It builds
the model and the data, loads the state that ``trial.restore()`` returns, and returns scores by name. For a class, it
is a method ``evaluate()``, called on an instance that has loaded the state.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trainables.checkpoints import snapshot
from trainables.checkpoints.saving import Checkpoints
from trainables.checkpoints.snapshot import Snapshot
from trainables.contract import restored_model
from trainables.report import as_number
from trainables.trial import Trial


class Restoring(Checkpoints):
    """Restores from one checkpoint file. Saves nothing.

    Attributes:
        found: The content of the file.
        taken: Whether ``restore`` was called.
    """

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            DamagedCheckpoint: The file is not a complete checkpoint.
            OSError: The file cannot be read.
        """
        super().__init__(path.parent)
        self.found = snapshot.read(path)[0]
        self.taken = False

    def restore(self) -> Snapshot:
        """The content of the file."""
        self.taken = True
        return self.found

    def save(self, step: int, state: Mapping[str, Any], path: str | os.PathLike[str] | None = None) -> None:
        """Does nothing."""


def evaluates(trainable: Callable[..., Any]) -> bool:
    """Whether the trainable has an ``evaluate``."""
    return callable(getattr(trainable, "evaluate", None))


def evaluate(
    trainable: Callable[..., Any],
    checkpoint: Restoring,
    *,
    config: Mapping[str, Any],
    number: int = 0,
    seed: int = 0,
    directory: Path | None = None,
    device: str | None = None,
) -> dict[str, float]:
    """The scores of a trained trial.

    Args:
        trainable: A trainable with an ``evaluate``.
        checkpoint: The state to score.
        config, number, seed, directory, device: Those of the trial; see :class:`trainables.trial.Trial`.

    Raises:
        TypeError: ``evaluate`` returned something other than numbers by name, or nothing.
        RuntimeError: ``evaluate`` did not restore the state, so the model that it scored is not trained.
    """
    trial = Trial(config=config, number=number, seed=seed, directory=directory, device=device, checkpoints=checkpoint)
    if isinstance(trainable, type):
        scores = restored_model(trainable, trial)[0].evaluate()
    else:
        scores = trainable.evaluate(trial.config, trial)  # type: ignore[attr-defined]
    if not checkpoint.taken:
        raise RuntimeError("evaluate did not call trial.restore(), so the model that it scored is not trained")
    if not isinstance(scores, Mapping) or not scores:
        raise TypeError(f"evaluate must return scores by name, as in {{'test_loss': 0.3}}, not {scores!r:.80}")
    values = {}
    for name, value in scores.items():
        try:
            values[str(name)] = as_number(value)
        except (TypeError, ValueError, RuntimeError, AttributeError):
            raise TypeError(f"evaluate: the score {name} must be one number, not {value!r:.80}") from None
    return values
