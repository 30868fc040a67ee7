"""The contract between a sweep and what it trains.

A trainable is a function ``train(config, trial)``, or a class with ``__init__(config, trial)`` and ``step()``. It is
called with a configuration and a :class:`~trainables.trial.Trial`, and reports metrics:
``trial.report(step=epoch, val_loss=...)``. Nothing here knows Ray, so the same code runs in a test or a notebook:
``train(config, Trial(config=config))`` collects the reports in ``trial.history``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from trainables.trial import Trial


class TrainableClass(Protocol):
    """The class form of a trainable: the sweep calls ``step()`` until it returns None, and reports what it returns.

    A class that also has ``state_dict()`` and ``load_state_dict(state)`` is saved after every step, and an interrupted
    trial continues from there. The state must be everything that ``step()`` changes. A method ``evaluate()`` that
    returns scores by name is what `sweep best --evaluate` calls, after the state of the best trial was loaded.
    """

    def __init__(self, config: Mapping[str, Any], trial: Trial) -> None:
        """Make the model and the data.

        Args:
            config: The hyperparameters, with fixed values and declared defaults.
            trial: The trial: its device, seed and directory.
        """

    def step(self) -> Mapping[str, float] | None:
        """Train for one step, such as an epoch.

        Returns:
            The metrics of the step, one number each; None if the training is complete. Steps are counted from 1.
        """


def run(trainable: Callable[..., Any], trial: Trial) -> None:
    """Train one trial to its end: call the function, or step the class until it returns None.

    Raises:
        TrialEnded: The trial must end.
        TypeError: ``step()`` returned something other than metrics or None.
    """
    if not isinstance(trainable, type):
        trainable(trial.config, trial)
        return
    model, restored = restored_model(trainable, trial)
    saves = hasattr(model, "state_dict") and hasattr(model, "load_state_dict")
    for step in itertools.count(restored + 1):
        metrics = model.step()
        if metrics is None:
            return
        if not isinstance(metrics, Mapping):
            raise TypeError(f"step() must return a mapping of metrics, or None at the end, not {metrics!r:.80}")
        if saves:
            trial.save(step=step, model=model)
        trial.report(step=step, **metrics)


def restored_model(trainable: type, trial: Trial) -> tuple[Any, int]:
    """An instance of a trainable class with its last saved state loaded, and the step of that state (0: none)."""
    model = trainable(trial.config, trial)
    if not (hasattr(model, "state_dict") and hasattr(model, "load_state_dict")):
        return model, 0
    restored = trial.restore()
    if restored is None:
        return model, 0
    model.load_state_dict(restored["model"])
    return model, restored["step"]
