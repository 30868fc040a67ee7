"""The Ray that this process connected to by itself, as a notebook does with ``ray.init()``."""

from __future__ import annotations

import sys

from cluster.errors import ClusterError


def present_address() -> str | None:
    """host:port of the head that this process is connected to; None: it is connected to no Ray.

    Ray is not imported for this: who has not imported it has not connected.

    Raises:
        ClusterError: It is connected by Ray Client, through which no sweep can be driven.
    """
    ray = sys.modules.get("ray")
    if ray is None or not hasattr(ray, "is_initialized") or not ray.is_initialized():  # a thread may be importing it
        return None
    from ray.util.client import ray as client

    if client.is_connected():
        raise ClusterError(
            "this process uses Ray Client (ray://…), which cannot drive a sweep: call ray.shutdown() first,"
            " then run the sweep on a node of the cluster, or send it there (--on http://…)"
        )
    return str(ray.get_runtime_context().gcs_address)
