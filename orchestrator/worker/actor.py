"""The Ray actor that runs attempts. Ray Tune hands one actor trial after trial."""

from __future__ import annotations

import os
from typing import Any

import ray

from cluster.ray_private.sigterm_isolation import ignore_sigterm
from cluster.ray_private.tune_worker import LightTrainable
from orchestrator.core.events import Start
from orchestrator.core.node_health import Node
from orchestrator.worker.fork.forking import Forking
from orchestrator.worker.fork.protocol import Surroundings
from orchestrator.worker.fork.warm_parent import CannotFork
from orchestrator.worker.in_process import InProcess
from orchestrator.worker.messages import WorkerSettings
from orchestrator.worker.runner import Runner

UPDATE = "update"
ORDER = "order"
FORKS = "forks"
"""Whether the worker is to fork the processes of its trials."""


class Worker(LightTrainable):
    """Runs one attempt after the other."""

    def setup(self, config: dict[str, Any], settings: WorkerSettings | None = None) -> None:
        """Prepare the worker. Called once, with the first order."""
        assert settings is not None
        self._settings = settings
        self._node = Node(id=ray.get_runtime_context().get_node_id(), name=ray.util.get_node_ip_address())
        self._gpu_ids = tuple(str(gpu) for gpu in ray.get_gpu_ids())
        ignore_sigterm()
        self._runner = self._new_runner(forks=config[FORKS])
        self._order: Start = config[ORDER]
        self._begun = False

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin the next attempt. Called with each order but the first.

        The attempt begins here, not at the first ``step``: that call comes milliseconds later.
        """
        self._runner.end()
        self._order = new_config[ORDER]
        self._begin()
        self.forget_config()
        return True

    def step(self) -> dict[str, Any]:
        """Wait for an update for the driver, and return it. The first call begins the worker's first attempt."""
        if not self._begun:
            self._begin()
        try:
            return {UPDATE: self._runner.update()}
        except CannotFork as why:
            self._runner.close()
            self._runner = self._in_process(str(why))
            self._begin()
            return {UPDATE: self._runner.update()}

    def cleanup(self) -> None:
        """End the attempt when the worker is no longer needed."""
        self._runner.close()

    def _begin(self) -> None:
        self._runner.begin(self._order)
        self._begun = True

    def _new_runner(self, *, forks: bool) -> Runner:
        if not forks:
            return self._in_process()
        surroundings = Surroundings(environ=dict(os.environ), node=self._node, gpu_ids=self._gpu_ids)
        try:
            return Forking(self._settings, surroundings)
        except CannotFork as why:
            return self._in_process(str(why))

    def _in_process(self, why: str = "") -> InProcess:
        note = f"each trial gets a new process, as with trial.isolation: process, because {why}" if why else ""
        once = self._settings.isolation == "fork"  # with `process` Ray Tune sees to that
        return InProcess(self._settings, node=self._node, gpu_ids=self._gpu_ids, once=once, note=note)
