"""Which nodes are there, leaving or gone, and what is free on each, as the head of the cluster knows it this moment.

Each question takes about a millisecond. Two of them Ray answers by private functions only; docs/ray.md lists them.
"""

from __future__ import annotations


def there() -> frozenset[str]:
    """The ids of the nodes that are alive."""
    import ray

    return frozenset(str(node["NodeID"]) for node in ray.nodes() if node["Alive"])


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
