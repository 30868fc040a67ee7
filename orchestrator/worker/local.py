"""Runs attempts on this node: in forked processes if the trainable can be forked, else in this process."""

from __future__ import annotations

import os

from orchestrator.core.events import Start
from orchestrator.core.node_health import Node
from orchestrator.worker.fork.forking import Forking
from orchestrator.worker.fork.protocol import Surroundings
from orchestrator.worker.fork.warm_parent import CannotFork
from orchestrator.worker.in_process import InProcess
from orchestrator.worker.messages import WorkerSettings
from orchestrator.worker.ranks.part import ALONE, Part
from orchestrator.worker.runner import Runner


class Local:
    """A runner that chooses between Forking and InProcess."""

    def __init__(self, settings: WorkerSettings, *, node: Node, gpu_ids: tuple[str, ...], forks: bool) -> None:
        """Import the trainable.

        Args:
            settings: The sweep's.
            node: Where this process runs.
            gpu_ids: The GPUs that it has.
            forks: Whether to try to fork.

        Raises:
            TrainableError: The trainable cannot be imported.
        """
        self._settings = settings
        self._node = node
        self._gpu_ids = gpu_ids
        self._runner = self._new_runner(forks=forks)

    def begin(self, order: Start, part: Part = ALONE) -> None:
        """Begin an attempt."""
        self._order, self._part = order, part
        self._runner.begin(order, part)

    def update(self) -> bytes:
        """What happened since the last call. An attempt that turns out to be unable to run in a fork begins again."""
        try:
            return self._runner.update()
        except CannotFork as why:
            self._runner.close()
            self._runner = self._in_process(str(why))
            self._runner.begin(self._order, self._part)
            return self._runner.update()

    def end(self) -> None:
        """End the attempt."""
        self._runner.end()

    def close(self) -> None:
        """End the attempt, and whatever serves only this runner."""
        self._runner.close()

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
