"""Runs an unmodified Ray Tune function, ``train(config)`` with ``tune.report({...})``, as a trainable.

``ray.tune.report`` passes its metrics to the session of the process; here that session forwards them to a trial.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cluster.ray_private.function_session import function_session
from orchestrator.worker.ray_metrics import Metrics
from trainables.contract import Trial


class _Done(BaseException):
    """Ends a function that has reported ``done: True``, as Ray Tune ends it."""


class _Session:
    """What ``tune.report``, ``tune.get_checkpoint`` and ``tune.get_context`` ask of the session of a process."""

    metadata = run_id = storage = None
    world_rank = local_rank = node_rank = local_world_size = world_size = None

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._metrics = Metrics(trial)
        restored = trial.restore()
        self._checkpoint: Path | None = None
        if restored is not None:
            self._checkpoint, self._metrics.step = restored.get("path"), restored["step"]
        self.reported = False
        self.experiment_name = "sweep"
        self.trial_id = str(trial.number)
        self.trial_name = f"trial-{trial.number}"
        self.trial_resources = None

    @property
    def trial_dir(self) -> str:
        return str(self._trial.directory)

    @property
    def loaded_checkpoint(self) -> Any:
        """The newest checkpoint that was reported, by this attempt or an earlier one; None if there is none."""
        path = self._trial.saved_path or self._checkpoint
        if path is None:
            return None
        from ray.tune import Checkpoint

        return Checkpoint.from_directory(path)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"{name}: a trial has no session of Ray Train, so a TorchTrainer, or another of its trainers, cannot run"
        )

    def report(self, metrics: Mapping[str, Any], checkpoint: Any = None) -> None:
        """Report to the trial, and save the directory of the checkpoint. The step is the count of reports, like Ray's
        training_iteration.

        Raises:
            ValueError: No metric is a number.
        """
        self.reported = True
        self._metrics.step += 1
        if checkpoint is not None:
            with checkpoint.as_directory() as directory:
                self._trial.save(step=self._metrics.step, path=directory)
        done = self._metrics.report(metrics)
        if checkpoint is not None:
            self._trial.write_saved()
        if done:
            raise _Done


def run(function: Callable[[dict[str, Any]], Any], trial: Trial, metric: str) -> None:
    """Call the function; metrics that it returns or yields are reported, as Ray Tune does.

    Args:
        function: Takes the configuration.
        trial: Takes the reports and checkpoints.
        metric: The objective, for the error.

    Raises:
        TypeError: The function has reported nothing, and returned something other than metrics.
    """
    session = _Session(trial)
    with function_session(session):
        try:
            output = function(trial.config)
            for last in output if inspect.isgenerator(output) else (output,):
                if isinstance(last, Mapping):
                    session.report(last)
                elif last is not None and not session.reported:
                    name = getattr(function, "__name__", "the trainable")
                    raise TypeError(
                        f"{name} returned {last!r:.80} and reported nothing; return {{{metric!r}: …}}, or call"
                        f" tune.report({{{metric!r}: …}})"
                    )
        except _Done:
            pass
