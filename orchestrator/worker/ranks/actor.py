"""The Ray actor of a rank other than 0. The worker, which is rank 0, starts it and asks it."""

from __future__ import annotations

from dataclasses import replace

import ray

from cluster.ray_private.child_tasks import tasks_run_beside
from cluster.ray_private.sigterm_isolation import ignore_sigterm
from orchestrator.core.events import Start
from orchestrator.core.node_health import Node
from orchestrator.worker.local import Local
from orchestrator.worker.messages import WorkerSettings
from orchestrator.worker.ranks.part import Part
from orchestrator.worker.ranks.parts import Place

HEARTBEAT_S = 0.25
"""Seconds that an answer takes while nothing happens: the order to end waits for it."""


def place_here() -> Place:
    """The place of this process, which is a worker of Ray's."""
    node = Node(id=ray.get_runtime_context().get_node_id(), name=ray.util.get_node_ip_address())
    return Place(node=node, gpu_ids=tuple(str(gpu) for gpu in ray.get_gpu_ids()))


class RankActor:
    """Runs one rank of attempt after attempt."""

    def __init__(self, settings: WorkerSettings, *, forks: bool) -> None:
        """Import the trainable; arguments and errors as of Local."""
        self._place = place_here()
        ignore_sigterm()
        tasks_run_beside()
        settings = replace(settings, heartbeat_s=HEARTBEAT_S)
        self._runner = Local(settings, node=self._place.node, gpu_ids=self._place.gpu_ids, forks=forks)

    def place(self) -> Place:
        """Where this actor runs."""
        return self._place

    def begin(self, order: Start, part: Part) -> None:
        """Begin a part of an attempt."""
        self._runner.begin(order, part)

    def update(self) -> bytes:
        """As of a Runner."""
        return self._runner.update()

    def end(self) -> None:
        """As of a Runner."""
        self._runner.end()

    def close(self) -> None:
        """As of a Runner."""
        self._runner.close()
