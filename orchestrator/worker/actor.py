"""The Ray actor that runs attempts. Ray Tune hands one actor trial after trial.

It has the methods that Ray Tune calls of a Trainable and is none: for that, each worker would import Ray Tune, which
takes it a second and 110 MB.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import ray

from cluster.ray_private.child_tasks import tasks_run_beside
from cluster.ray_private.sigterm_isolation import ignore_sigterm
from orchestrator.core.events import Start
from orchestrator.worker.local import Local
from orchestrator.worker.messages import WorkerSettings
from orchestrator.worker.ranks.actor import place_here
from orchestrator.worker.ranks.group import Ranks
from orchestrator.worker.runner import Runner, WorkerSpent

UPDATE = "update"
ORDER = "order"
FORKS = "forks"
"""Whether the worker is to fork the processes of its trials."""


def worker(settings: WorkerSettings) -> type[Worker]:
    """The class of a sweep's workers. The settings travel to each once, not with each trial."""
    told = ray.put(settings)

    class Told(Worker):
        def __init__(self, config: dict[str, Any], storage: object = None) -> None:
            super().__init__(config, ray.get(told))

    Told.__name__ = Worker.__name__  # of the processes, in the list of a system's processes
    return Told


class Worker:
    """Runs one attempt after the other.

    Args:
        config: The first order.
        settings: What all workers of the sweep share.
    """

    def __init__(self, config: dict[str, Any], settings: WorkerSettings) -> None:
        ignore_sigterm()
        tasks_run_beside()
        self._runner = _runner(settings, forks=config[FORKS])
        self._order: Start = config[ORDER]
        self._begun = False

    def reset(self, new_config: dict[str, Any], storage: object = None) -> bool:
        """Begin the next attempt. Called with each order but the first.

        The attempt begins here, not at the first ``train``: that call comes milliseconds later.
        """
        self._runner.end()
        self._order = new_config[ORDER]
        self._begin()
        return True

    def train(self) -> dict[str, Any]:
        """Wait for an update for the driver, and return it. The first call begins the worker's first attempt."""
        if not self._begun:
            self._begin()
        return {UPDATE: self._runner.update()}

    def end(self) -> None:
        """End the attempt, which was decided to stop; called besides Ray Tune, which may call no method for long."""
        with suppress(WorkerSpent):  # as the next call says, too
            self._runner.end()

    def stop(self) -> None:
        """End the attempt when the worker is no longer needed."""
        self._runner.close()

    def _begin(self) -> None:
        self._runner.begin(self._order)
        self._begun = True


def _runner(settings: WorkerSettings, *, forks: bool) -> Runner:
    if settings.ranks > 1:
        return Ranks(settings, forks=forks)
    here = place_here()
    return Local(settings, node=here.node, gpu_ids=here.gpu_ids, forks=forks)
