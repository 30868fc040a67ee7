"""Decides whether a worker died by itself or because its node was lost.

When a machine is switched off, the driver may learn of the dead workers first, and of the node a little later. So if
there are other nodes, a death waits for a second before it is reported to the sweep; nothing else is delayed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from cluster.ray_private import wording
from orchestrator.core import events
from orchestrator.core.node_health import Node
from orchestrator.core.rows import Failure
from orchestrator.core.sweep import Sweep
from orchestrator.tune.node_lookup import NodeLookup
from orchestrator.worker.failures import NODE_LOST

SETTLE_S = 1.0


@dataclass(frozen=True, kw_only=True)
class WorkerDeath:
    """The death of a worker that had a trial."""

    trial: int
    began: bool  # whether the attempt had begun
    at: float
    failure: Failure
    node: Node | None
    others: frozenset[str]


class WorkerDeaths:
    """Reports each death to the sweep, once its cause is known."""

    def __init__(self, sweep: Sweep, nodes: NodeLookup, clock: Callable[[], float]) -> None:
        self._sweep = sweep
        self._nodes = nodes
        self._clock = clock
        self._waiting: list[tuple[float, WorkerDeath]] = []  # until when, by the monotonic clock

    def add(self, trial: int, error: Exception | None, failure: Failure, *, began: bool) -> None:
        """Take the death of a worker.

        Args:
            trial: The number of the trial.
            error: Ray's error.
            failure: How the trial fails if the worker died by itself.
            began: Whether the attempt had begun.
        """
        node = self._nodes.node_of(error)
        death = WorkerDeath(
            trial=trial,
            began=began,
            at=self._clock(),
            failure=failure,
            node=node,
            others=self._nodes.others(node),
        )
        if getattr(error, "preempted", False) or wording.node_lost(str(error)):
            self._report(death, lost=True)
        elif node is None or not death.others:
            self._report(death, lost=False)
        else:
            self._waiting.append((time.monotonic() + SETTLE_S, death))

    def settle(self) -> None:
        """Report the deaths that have waited long enough."""
        while self._waiting and time.monotonic() >= self._waiting[0][0]:
            _, death = self._waiting.pop(0)
            self._report(death, lost=death.node is not None and self._nodes.gone(death.node))

    def _report(self, death: WorkerDeath, *, lost: bool) -> None:
        kind = events.Failed if death.began else events.NotStarted
        failure = death.failure
        if lost:
            where = "its node" if death.node is None else f"node {death.node}"
            failure = Failure(type=NODE_LOST, message=f"{where} is gone or unreachable", fingerprint=NODE_LOST)
        self._sweep.on(
            kind(
                trial=death.trial,
                at=death.at,
                failure=failure,
                preempted=lost,
                node=death.node,
                others=death.others,
            )
        )
