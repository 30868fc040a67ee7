"""Nodes that do not exist yet, for a plan: a number of GPUs, and as much of everything else as the trials need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cluster.fit import Need, ranks
from cluster.inventory import Node

GPUS_PER_NODE = 8
"""The usual size of a training machine."""

PLENTY = 2.0**50
"""More than any trial needs, in bytes too."""


def imagined(
    gpus: int, needs: Sequence[Need], *, per_node: int = GPUS_PER_NODE, cpus: float | None = None
) -> tuple[Node, ...]:
    """A number of GPUs in nodes of the same size; the last node has the remainder.

    Args:
        gpus: GPUs in total, >= 1.
        needs: What trials need, of different ones each.
        per_node: GPUs per node.
        cpus: CPUs per node; None: as many as its trials need.
    """
    whole, rest = divmod(gpus, per_node)
    sizes = [per_node] * whole + [rest] * bool(rest)
    return tuple(_node(f"imagined-{number}", size, needs, cpus) for number, size in enumerate(sizes, start=1))


def _node(name: str, gpus: int, needs: Sequence[Need], cpus: float | None) -> Node:
    node = Node(
        name=name,
        cpus=PLENTY,
        gpus=float(gpus),
        memory=PLENTY,
        accelerator=needs[0].accelerator,
        custom=dict.fromkeys(needs[0].custom, PLENTY),
    )
    enough = max(max(1, ranks(node, need)) * need.cpus for need in needs)
    return replace(node, cpus=enough if cpus is None else cpus)
