"""Which nodes are there, leaving or gone, and what is free on each, as the head of the cluster knows it this moment.

Each question to the head takes about a millisecond. Some of them Ray answers by private functions only; docs/ray.md
lists them.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping

CALL_S = 0.5
"""For how long a node may take to accept a connection; no more than a moment for the driver to wait."""


def leaving() -> frozenset[str]:
    """The ids of the nodes that are to be taken away soon, as a provider of spot machines or an autoscaler tells Ray.

    Ray starts nothing on them any more; what runs there goes on until they are gone.
    """
    from ray._private.state import state

    return frozenset(state.get_draining_nodes())


def free() -> dict[str, dict[str, float]]:
    """What nobody occupies, by the id of the node; a resource that is used up is absent."""
    from ray._private.state import state

    return {str(node): dict(resources) for node, resources in state.available_resources_per_node().items()}


def answers(node_id: str) -> bool:
    """Whether the node is alive and takes a connection. The head believes a killed node alive for up to 15 seconds."""
    import ray

    for node in ray.nodes():
        if node["NodeID"] == node_id and node["Alive"]:
            try:
                address = (node["NodeManagerAddress"], node["NodeManagerPort"])
                socket.create_connection(address, timeout=CALL_S).close()
            except OSError:
                return False
            return True
    return False


def waiting(bundle: Mapping[str, float]) -> int:
    """How many requests for just these resources Ray has not placed anywhere yet, whoever makes them."""
    from ray.util import placement_group_table

    states = (group for group in placement_group_table().values() if group["state"] == "PENDING")
    return sum([dict(each) for each in group["bundles"].values()] == [dict(bundle)] for group in states)


def node_of(actor_id: str) -> tuple[str, str] | None:
    """The id and the address of the node on which an actor is, or was when it died; None if it was on none."""
    from ray._private.state import state

    address = state.actor_table(actor_id).get("Address", {})
    node_id = str(address.get("NodeID", ""))
    return (node_id, str(address["IPAddress"])) if node_id.strip("f") else None
