"""Nodes that nobody has yet, for a plan: so many GPUs, and of everything else as much as the trials need."""

from __future__ import annotations

from dataclasses import replace

from cluster.fit import Need, capacity
from cluster.inventory import Node

GPUS_PER_NODE = 8
"""What a machine for training usually has."""

PLENTY = 2.0**50
"""More than anything needs, be it bytes."""


def imagined(gpus: int, need: Need, *, per_node: int = GPUS_PER_NODE, cpus: float | None = None) -> tuple[Node, ...]:
    """So many GPUs in nodes of the same size; the last has what is left over.

    Args:
        gpus: In all, >= 1.
        need: Of one trial.
        per_node: GPUs of a node.
        cpus: Of a node; None: as many as its trials need.
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
    return replace(node, cpus=max(1, capacity(node, need)) * need.cpus if cpus is None else cpus)
