"""Runs an unmodified Ray Tune function, ``train(config)`` with ``tune.report({...})``, as a trainable.

``ray.tune.report`` passes its metrics to the session of the process; here that session forwards them to a trial. A
trainer of Ray Train that the function starts reports to the same session, if it has a ``TuneReportCallback``.
"""

from __future__ import annotations

import inspect
import os
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from cluster.ray_private.environment import set_for_ray_train
from cluster.ray_private.function_session import function_session
from cluster.ray_private.trainer_placement import TRAINERS, prepare_trainers
from cluster.ray_private.trainer_reports import TrainerReports
from orchestrator.worker.ray_metrics import Metrics
from trainables.process import on_import
from trainables.trial import Trial


class _Done(BaseException):
    """Ends a function that has reported ``done: True``, as Ray Tune ends it."""


CHECKPOINT_PATH = "checkpoint_path"
"""What ``TuneReportCallback`` adds to the metrics of a report with a checkpoint."""
ID_FILE = "ray_trial_id"
"""In a trial's directory: what ``tune.get_context().get_trial_id()`` returns in all of its attempts."""


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
        self.trainer: TrainerReports | None = None
        self.experiment_name = "sweep"
        self.trial_resources = None

    @cached_property
    def trial_id(self) -> str:
        """The same in every attempt, and in no other sweep: a trainer of Ray Train that has it in its name continues
        from what is stored under that name."""
        file = self._trial.directory / ID_FILE
        if not file.exists():
            file.write_text(f"{uuid.uuid4().hex[:8]}_{self._trial.number:05d}")
        return file.read_text()

    @property
    def trial_name(self) -> str:
        return f"trial_{self.trial_id}"

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
            f"{name}: a trial has no session of Ray Train; what asks for one works in the train_loop_per_worker of a"
            " trainer, such as a TorchTrainer"
        )

    def _get_or_create_inter_actor_queue(self) -> Any:
        """Where ``TuneReportCallback`` puts the reports of a trainer."""
        if self.trainer is None:
            self.trainer = TrainerReports(self._report_of_trainer)
        return self.trainer.queue

    def _report_of_trainer(self, reported: Mapping[str, Any]) -> None:
        """Report what a trainer's first worker has reported. Its checkpoint is the trainer's, so a copy is saved; of
        one that is not on a disk here, but in S3 or the like, its address."""
        from ray.tune import Checkpoint

        metrics = dict(reported)
        path = metrics.pop(CHECKPOINT_PATH, None)
        if path is None:
            self.report(metrics)
        elif Path(path).is_dir():
            self.report(metrics, Checkpoint.from_directory(path))
        else:
            self._trial.save(step=self._metrics.step + 1, **{CHECKPOINT_PATH: path})
            self.report({**metrics, CHECKPOINT_PATH: path})
            self._trial.write_saved()

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
    set_for_ray_train()
    directory = os.getcwd()
    on_import.do(TRAINERS, "prepare", lambda: prepare_trainers(directory))
    with function_session(session):
        try:
            _call(function, trial, session, metric)
        except Exception:
            if session.trainer is None or session.trainer.raised is None:
                raise  # else it says that the trainer has been ended
        finally:
            if session.trainer is not None:
                session.trainer.close()
    if session.trainer is not None and session.trainer.raised is not None:
        with suppress(_Done):
            raise session.trainer.raised


def _call(function: Callable[[dict[str, Any]], Any], trial: Trial, session: _Session, metric: str) -> None:
    with suppress(_Done):
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
