"""Nodes that do not exist yet, for a plan: a number of GPUs, and as much of everything else as the trials need."""

from __future__ import annotations

from dataclasses import replace

from cluster.fit import Need, ranks
from cluster.inventory import Node

GPUS_PER_NODE = 8
"""The usual size of a training machine."""

PLENTY = 2.0**50
"""More than any trial needs, in bytes too."""


def imagined(gpus: int, need: Need, *, per_node: int = GPUS_PER_NODE, cpus: float | None = None) -> tuple[Node, ...]:
    """A number of GPUs in nodes of the same size; the last node has the remainder.

    Args:
        gpus: GPUs in total, >= 1.
        need: What one trial needs.
        per_node: GPUs per node.
        cpus: CPUs per node; None: as many as its trials need.
    """
    whole, rest = divmod(gpus, per_node)
    sizes = [per_node] * whole + [rest] * bool(rest)
    return tuple(_node(f"imagined-{number}", size, need, cpus) for number, size in enumerate(sizes, start=1))


def _node(name: str, gpus: int, need: Need, cpus: float | None) -> Node:
    node = Node(
        name=name,
        cpus=PLENTY,
        gpus=float(gpus),
        memory=PLENTY,
        accelerator=need.accelerator,
        custom=dict.fromkeys(need.custom, PLENTY),
    )
    return replace(node, cpus=max(1, ranks(node, need)) * need.cpus if cpus is None else cpus)
