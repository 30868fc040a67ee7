"""What a provider of spot machines tells Ray before it takes one away."""

from __future__ import annotations

import time

import ray
from ray.core.generated import autoscaler_pb2


def give_notice(address: str, node_id: str, *, within_s: float) -> None:
    """Tell the head at this address that a node is taken away within so many seconds."""
    reason = autoscaler_pb2.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
    client = ray._raylet.GcsClient(address=address)
    accepted, why = client.drain_node(node_id, reason, "spot", int(1000 * (time.time() + within_s)))
    assert accepted, why
