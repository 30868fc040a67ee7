"""The worker that runs inside a Ray Tune trial. Ray Tune hands one actor trial after trial; it makes attempts."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray

from cluster.ray_private.sigterm_isolation import ignore_sigterm
from cluster.ray_private.tune_worker import LightTrainable
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

BATCH = "batch"
ORDER = "order"


class WorkerSpent(RuntimeError):
    """Raised to Ray Tune so that it throws this process away. The driver already knows how the trial ended."""


class Worker(LightTrainable):
    """A process that makes one attempt after the other."""

    def setup(self, config: dict[str, Any], job: WorkerSettings | None = None) -> None:
        """Called once a process, with the first order."""
        assert job is not None
        self._job = job
        os.chdir(job.base)
        self._run = _runner(_trainable(job))
        self._node = Node(id=ray.get_runtime_context().get_node_id(), name=ray.util.get_node_ip_address())
        self._gpu_ids = tuple(str(gpu) for gpu in ray.get_gpu_ids())
        ignore_sigterm()
        self._isolation = Isolation()
        self._spent = False
        self._order: Start = config[ORDER]
        self._attempt: Attempt | None = None
        self._bar = math.inf  # the best loss of this process's trials

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Called with each further order. Begins the attempt at once: to wait for the first step costs milliseconds."""
        if self._attempt is not None and not self._attempt.end():
            raise WorkerSpent("the trial before this one cannot be ended")
        if self._attempt is not None and self._attempt.failed:
            raise WorkerSpent("the trial before this one failed")
        if self._attempt is not None and self._attempt.left:
            raise WorkerSpent(memory_left_message(self._attempt.left))
        self._bar = min(self._bar, self._attempt.loss) if self._attempt is not None else self._bar
        self._order = new_config[ORDER]
        self._attempt = self._begin()
        self.forget_config()
        return True

    def step(self) -> dict[str, Any]:
        """Wait for something worth telling. A process's first attempt begins with the first call."""
        if self._spent:
            raise WorkerSpent("its trial failed")
        if self._attempt is None:
            self._attempt = self._begin()
        measurements, train_s, ended = self._attempt.collect()
        self._spent = ended is not None and ended.spoils
        batch = WorkerUpdate(
            measurements=measurements,
            train_s=train_s,
            node=self._node,
            gpu_ids=self._gpu_ids,
            gpu_gb=self._attempt.gpu_gb,
            ended=ended,
            trouble=self._attempt.trouble,
        )
        return {BATCH: batch.pack()}

    def _begin(self) -> Attempt:
        return Attempt(self._order, self._job, self._run, self._isolation, self._bar)

    def cleanup(self) -> None:
        """The process is no longer needed."""
        if self._attempt is not None:
            self._attempt.end()


def _runner(trainable: Any) -> Callable[[Trial], None]:
    """How to train a trial: by the trainable's shape, its declared defaults filled in."""
    declaration = declaration_of(trainable)
    defaults = declaration.defaults() if declaration is not None else {}
    train = ray_function.run if load_trainable.shape_of(trainable) == "ray" else run_trainable

    def run(trial: Trial) -> None:
        trial.config = {**defaults, **trial.config}
        train(trainable, trial)

    return run


def _trainable(job: WorkerSettings) -> Any:
    if job.function is not None:
        return ray.cloudpickle.loads(job.function)
    return load_trainable.load(job.trainable, Path(job.base))
