"""Which nodes answer, and which requests the connected cluster has not placed yet. Each question takes milliseconds.

What only the head knows of its nodes is asked in ``ray_private.cluster_state``.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence

CALL_S = 0.5
"""Seconds that a node may take to accept a connection; the driver waits meanwhile, so only a moment."""


def answers(node_id: str) -> bool:
    """Whether the node is alive and accepts a connection. The head takes a killed node for alive up to 15 seconds."""
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


def waiting(bundles: Sequence[Mapping[str, float]]) -> int:
    """How many requests for exactly these resources Ray has not placed anywhere yet, whoever makes them."""
    from ray.util import placement_group_table

    states = (group for group in placement_group_table().values() if group["state"] == "PENDING")
    return sum(
        [dict(each) for each in group["bundles"].values()] == [dict(each) for each in bundles] for group in states
    )
