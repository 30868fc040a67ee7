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
    """What nobody occupies, by the id of the node, a used-up resource absent; all that a node has where Ray cannot say.

    Ray's public sum over all nodes is no way out: Ray computes it from the same answer.
    """
    import ray

    found = FREE_RESOURCES.find()
    if found is not None:
        return {str(node): dict(resources) for node, resources in found[0]().items()}
    return {str(node["NodeID"]): dict(node["Resources"]) for node in ray.nodes() if node["Alive"]}


def node_of_actor(actor_id: str) -> tuple[str, str] | None:
    """The id and the address of the node on which an actor runs or ran; None if on none, or Ray cannot be asked."""
    found = ACTOR_NODE.find()
    if found is None:
        return None
    address = found[0](actor_id).get("Address", {})
    node_id = str(address.get("NodeID", ""))
    return (node_id, str(address["IPAddress"])) if node_id.strip("f") else None
