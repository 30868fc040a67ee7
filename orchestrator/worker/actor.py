"""The Ray actor that runs attempts. Ray Tune hands one actor trial after trial."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray

from cluster.ray_private.sigterm_isolation import ignore_sigterm
from cluster.ray_private.tune_worker import LightTrainable
from orchestrator.code.pinned import pin
from orchestrator.core.events import Start
from orchestrator.core.node_health import Node
from orchestrator.spec import load_trainable
from orchestrator.worker import ray_function
from orchestrator.worker.attempt import Attempt
from orchestrator.worker.failures import memory_left_message
from orchestrator.worker.messages import WorkerSettings, WorkerUpdate
from trainables.contract import Trial, declaration_of
from trainables.contract import run as run_trainable
from trainables.process.isolation import Isolation

UPDATE = "update"
ORDER = "order"


class WorkerSpent(RuntimeError):
    """Makes Ray Tune discard this process. The driver already knows how the trial ended."""


class Worker(LightTrainable):
    """A process that runs one attempt after the other."""

    def setup(self, config: dict[str, Any], settings: WorkerSettings | None = None) -> None:
        """Prepare the process. Called once, with the first order."""
        assert settings is not None
        self._settings = settings
        os.chdir(settings.base)
        self._run = _runner(_trainable(settings))
        self._node = Node(id=ray.get_runtime_context().get_node_id(), name=ray.util.get_node_ip_address())
        self._gpu_ids = tuple(str(gpu) for gpu in ray.get_gpu_ids())
        ignore_sigterm()
        self._isolation = Isolation()
        self._spent = False
        self._order: Start = config[ORDER]
        self._attempt: Attempt | None = None
        self._best_loss_so_far = math.inf  # of this process's trials

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin the next attempt. Called with each order but the first.

        The attempt begins here, not at the first ``step``: that call comes milliseconds later.
        """
        if self._attempt is not None:
            self._end(self._attempt)
        self._order = new_config[ORDER]
        self._attempt = self._begin()
        self.forget_config()
        return True

    def _end(self, attempt: Attempt) -> None:
        """End the previous attempt.

        Raises:
            WorkerSpent: This process cannot run another trial.
        """
        if not attempt.end():
            raise WorkerSpent("the previous trial cannot be ended")
        if attempt.failed:
            raise WorkerSpent("the previous trial failed")
        if attempt.memory_left:
            raise WorkerSpent(memory_left_message(attempt.memory_left))
        self._best_loss_so_far = min(self._best_loss_so_far, attempt.loss)

    def step(self) -> dict[str, Any]:
        """Wait for an update for the driver, and return it. The first call begins the process's first attempt."""
        if self._spent:
            raise WorkerSpent("the trial failed")
        if self._attempt is None:
            self._attempt = self._begin()
        reports, train_s, ended = self._attempt.collect()
        self._spent = ended is not None and ended.spoils_process
        update = WorkerUpdate(
            reports=reports,
            train_s=train_s,
            node=self._node,
            gpu_ids=self._gpu_ids,
            gpu_gb=self._attempt.gpu_gb,
            saved=self._attempt.saved,
            ended=ended,
            trouble=self._attempt.trouble,
        )
        return {UPDATE: update.pack()}

    def _begin(self) -> Attempt:
        return Attempt(self._order, self._settings, self._run, self._isolation, self._best_loss_so_far)

    def cleanup(self) -> None:
        """End the attempt when the process is no longer needed."""
        if self._attempt is not None:
            self._attempt.end()


def _runner(trainable: Any) -> Callable[[Trial], None]:
    """A function that trains a trial, with the trainable's declared defaults filled in."""
    declaration = declaration_of(trainable)
    defaults = declaration.defaults() if declaration is not None else {}
    train = ray_function.run if load_trainable.shape_of(trainable) == "ray" else run_trainable

    def run(trial: Trial) -> None:
        trial.config = {**defaults, **trial.config}
        train(trainable, trial)

    return run


def _trainable(settings: WorkerSettings) -> Any:
    pin(settings.code)
    if settings.function is not None:
        return ray.cloudpickle.loads(settings.function)
    return load_trainable.load(settings.trainable, Path(settings.base))
