"""What the head of the connected cluster knows and Ray's public functions do not tell.

Each question takes about a millisecond. Ray's public way to the same answers needs its dashboard.
"""

from __future__ import annotations

from cluster.ray_private.names import ACTOR_NODE, DRAINING_NODES, FREE_RESOURCES


def draining_nodes() -> frozenset[str]:
    """The ids of the nodes that are about to be removed; none where Ray cannot be asked."""
    found = DRAINING_NODES.find()
    return frozenset(found[0]()) if found is not None else frozenset()


def free_resources() -> dict[str, dict[str, float]]:
    """What nobody occupies, by the id of the node, a used-up resource absent.

    Where Ray cannot be asked: all that a node has. On a single node, Ray's sum over all nodes is exact.
    """
    import ray

    found = FREE_RESOURCES.find()
    if found is not None:
        return {str(node): dict(resources) for node, resources in found[0]().items()}
    alive = [node for node in ray.nodes() if node["Alive"]]
    if len(alive) == 1:
        return {str(alive[0]["NodeID"]): dict(ray.available_resources())}
    return {str(node["NodeID"]): dict(node["Resources"]) for node in alive}


def node_of_actor(actor_id: str) -> tuple[str, str] | None:
    """The id and the address of the node on which an actor runs or ran; None if on none, or Ray cannot be asked."""
    found = ACTOR_NODE.find()
    if found is None:
        return None
    address = found[0](actor_id).get("Address", {})
    node_id = str(address.get("NodeID", ""))
    return (node_id, str(address["IPAddress"])) if node_id.strip("f") else None
