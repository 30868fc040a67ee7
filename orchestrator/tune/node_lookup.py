"""The nodes of a sweep's trials: which to avoid, where else a trial fits, and whether a node is gone."""

from __future__ import annotations

import time

from cluster import inventory
from cluster.existing import presence
from cluster.fit import ranks, slots
from cluster.ray_private import cluster_state
from orchestrator.core.node_health import Node
from orchestrator.core.sweep import Sweep
from orchestrator.sites.needs import Needs

LOOK_S = 1.0
"""The least seconds between two queries of which nodes are about to be removed."""


class NodeLookup:
    """Answers from the cluster to which this process is connected."""

    def __init__(self, sweep: Sweep, needs: Needs) -> None:
        self._sweep = sweep
        self._largest = needs.kinds[-1]
        self._leaving: frozenset[str] = frozenset()
        self._next = 0.0

    def avoided(self) -> frozenset[str]:
        """The ids of the nodes that are set aside or about to be removed."""
        if time.monotonic() >= self._next:
            self._leaving = cluster_state.draining_nodes()
            self._next = time.monotonic() + LOOK_S
        return self._leaving.union(self._sweep.node_health.set_aside)

    def others(self, node: Node | None) -> frozenset[str]:
        """The ids of all other nodes on which a trial, or ranks of it, fit if nothing else runs there.

        None if the others together have no room for a trial.
        """
        left_out = self.avoided() | ({node.id} if node is not None else set())
        others = [each for each in inventory.nodes() if each.id not in left_out]
        fits = slots(others, self._largest) > 0
        return frozenset(each.id for each in others if fits and ranks(each, self._largest))

    def node_of(self, error: Exception | None) -> Node | None:
        """The node of the worker whose death Ray reports with this error; None if Ray does not say which worker."""
        actor = getattr(error, "actor_id", None)
        found = cluster_state.node_of_actor(actor) if actor else None
        return None if found is None else Node(id=found[0], name=found[1])

    def gone(self, node: Node) -> bool:
        """Whether the node no longer answers."""
        return not presence.answers(node.id)
