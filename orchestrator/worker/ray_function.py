"""Runs an unmodified Ray Tune function, ``train(config)`` with ``tune.report({...})``, as a trainable.

``ray.tune.report`` passes its metrics to the session of the process; here that session forwards them to a trial.
"""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Mapping
from typing import Any

from cluster.ray_private.tune_worker import function_session
from trainables.contract import Trial


class _Session:
    """What ``tune.report``, ``tune.get_checkpoint`` and ``tune.get_context`` ask of the session of a process."""

    loaded_checkpoint = metadata = run_id = storage = None
    world_rank = local_rank = node_rank = local_world_size = world_size = None

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._iteration = 0
        self.experiment_name = "sweep"
        self.trial_id = str(trial.number)
        self.trial_name = f"trial-{trial.number}"
        self.trial_resources = None

    @property
    def trial_dir(self) -> str:
        return str(self._trial.directory)

    def report(self, metrics: Mapping[str, Any], checkpoint: object = None) -> None:
        """Report to the trial. The step is the count of reports, like Ray's training_iteration."""
        self._iteration += 1
        numeric = {name: value for name, value in metrics.items() if _is_number(value)}
        self._trial.report(step=self._iteration, **numeric)


def run(function: Callable[[dict[str, Any]], Any], trial: Trial) -> None:
    """Call the function; metrics that it returns or yields are reported, as Ray Tune does."""
    session = _Session(trial)
    with function_session(session):
        output = function(trial.config)
        for last in output if inspect.isgenerator(output) else (output,):
            if isinstance(last, Mapping):
                session.report(last)


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) or getattr(value, "ndim", None) == 0
