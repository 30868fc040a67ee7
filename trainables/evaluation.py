"""Scores a trained model on the test part, which no trial sees: what a trainable's ``evaluate`` owes and is given.

For a function that is ``evaluate(config, trial)``, made known by ``declare(evaluate=...)`` or ``train.evaluate = ...``:
it builds model and data as training does, takes the state from ``trial.restore()``, and returns scores by name. For a
class it is a method ``evaluate()``, called on an instance that has loaded the state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trainables.checkpoints import snapshot
from trainables.checkpoints.saving import Checkpoints
from trainables.checkpoints.snapshot import Snapshot
from trainables.contract import Trial, as_number, restored_model


class Restoring(Checkpoints):
    """One checkpoint to restore from, whatever its name. Nothing is written.

    Attributes:
        found: What it holds.
        taken: Whether somebody has asked for it.
    """

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            DamagedCheckpoint: The file is no whole checkpoint.
            OSError: It cannot be read.
        """
        super().__init__(path.parent)
        self.found = snapshot.read(path)[0]
        self.taken = False

    def restore(self) -> Snapshot:
        """What the file holds."""
        self.taken = True
        return self.found

    def save(self, step: int, state: Mapping[str, Any]) -> None:
        """Nothing."""


def evaluates(trainable: Callable[..., Any]) -> bool:
    """Whether the trainable says how to score it."""
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
        trainable: One that :func:`evaluates`.
        checkpoint: The state to be scored.
        config, number, seed, directory, device: As the trial had them; see :class:`trainables.contract.Trial`.

    Raises:
        TypeError: What it returns is no mapping of names to numbers, or empty.
        RuntimeError: It has not asked for the state, so that it scored a model that is not trained.
    """
    trial = Trial(config=config, number=number, seed=seed, directory=directory, device=device, checkpoints=checkpoint)
    if isinstance(trainable, type):
        scores = restored_model(trainable, trial)[0].evaluate()
    else:
        scores = trainable.evaluate(trial.config, trial)  # type: ignore[attr-defined]
    if not checkpoint.taken:
        raise RuntimeError("evaluate scored a model that is not trained: it has to load what trial.restore() gives")
    if not isinstance(scores, Mapping) or not scores:
        raise TypeError(f"evaluate returns scores by name, as {{'test_loss': 0.3}}; it returned {scores!r:.80}")
    values = {}
    for name, value in scores.items():
        try:
            values[str(name)] = as_number(value)
        except (TypeError, ValueError, RuntimeError):
            raise TypeError(f"evaluate: the score {name} is one number, got {value!r:.80}") from None
    return values
