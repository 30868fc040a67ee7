"""Attempts whose worker died, until it is settled whether their node went away with it.

When a machine is switched off, the driver may hear of its workers first and of the node a little later. So where there
are other nodes, a death waits for a second before it is laid on the trial; nobody is kept waiting by it.
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

SETTLE_S = 1.0


@dataclass(frozen=True, kw_only=True)
class WorkerDeath:
    """A worker that ended under its trial."""

    trial: int
    began: bool  # the attempt, and not only its worker
    at: float
    failure: Failure
    node: Node | None
    others: frozenset[str]


class WorkerDeaths:
    """Tells the machine of each, once it is settled."""

    def __init__(self, sweep: Sweep, node_lookup: NodeLookup, clock: Callable[[], float]) -> None:
        self._sweep = sweep
        self._ground = node_lookup
        self._clock = clock
        self._waiting: list[tuple[float, WorkerDeath]] = []  # until when, by the monotonic clock

    def add(self, trial: int, error: Exception | None, failure: Failure, *, began: bool) -> None:
        """A worker has died, and Ray says so with this error."""
        node = self._ground.node_of(error)
        death = WorkerDeath(
            trial=trial, began=began, at=self._clock(), failure=failure, node=node, others=self._ground.others(node)
        )
        if getattr(error, "preempted", False) or wording.node_lost(str(error)):
            self._tell(death, lost=True)
        elif node is None or not death.others:
            self._tell(death, lost=False)
        else:
            self._waiting.append((time.monotonic() + SETTLE_S, death))

    def settle(self) -> None:
        """Decide on those that have waited."""
        while self._waiting and time.monotonic() >= self._waiting[0][0]:
            _, death = self._waiting.pop(0)
            self._tell(death, lost=death.node is not None and self._ground.gone(death.node))

    def _tell(self, death: WorkerDeath, *, lost: bool) -> None:
        kind = events.Failed if death.began else events.NotStarted
        failure = death.failure
        if lost:
            where = "its node" if death.node is None else f"node {death.node}"
            failure = Failure(type="NodeLost", message=f"{where} is gone, or cannot be reached", fingerprint="NodeLost")
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
