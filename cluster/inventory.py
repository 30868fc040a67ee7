"""What the nodes of the connected Ray cluster have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Node:
    """One machine, by what it offers in total."""

    name: str
    cpus: float
    gpus: float = 0.0
    memory: float = 0.0  # bytes


def nodes() -> tuple[Node, ...]:
    """The nodes that are alive, by name."""
    import ray

    return tuple(sorted((_node(raw) for raw in ray.nodes() if raw["Alive"]), key=lambda node: node.name))


def _node(raw: Mapping[str, object]) -> Node:
    has = dict(raw["Resources"])  # type: ignore[call-overload]
    return Node(
        name=str(raw["NodeManagerAddress"]),
        cpus=has.get("CPU", 0.0),
        gpus=has.get("GPU", 0.0),
        memory=has.get("memory", 0.0),
    )


def this_machine(*, cpus: float | None = None, gpus: float | None = None) -> Node:
    """What Ray embedded in this process would have, without starting it.

    Args:
        cpus: As given to ``local.embedded``; None: what this process may use.
        gpus: The same; None: the NVIDIA devices that the driver lists.
    """
    import os
    import socket
    from pathlib import Path

    import psutil

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    found = len(list(Path("/proc/driver/nvidia/gpus").glob("*")))
    if visible is not None:
        found = min(found, len([device for device in visible.split(",") if device.strip() not in ("", "-1")]))
    return Node(
        name=socket.gethostname(),
        cpus=float(cpus if cpus is not None else len(os.sched_getaffinity(0))),
        gpus=float(gpus if gpus is not None else found),
        memory=float(psutil.virtual_memory().total),
    )
