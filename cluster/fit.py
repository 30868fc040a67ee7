"""Does one trial fit on a node, and how many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.inventory import Node


@dataclass(frozen=True, kw_only=True)
class Need:
    """What one trial occupies, all of it on one node."""

    cpus: float = 1.0
    gpus: float = 0.0
    memory: float = 0.0  # bytes


def capacity(node: Node, need: Need) -> int:
    """How many trials of this need one node holds at once."""
    pairs = ((node.cpus, need.cpus), (node.gpus, need.gpus), (node.memory, need.memory))
    counts = [int(has / wants + 1e-9) for has, wants in pairs if wants > 0]
    if 0 < need.gpus < 1:  # Ray never splits one trial's share over two GPUs
        counts.append(int(node.gpus) * int(1 / need.gpus + 1e-9))
    return min(counts) if counts else max(1, int(node.cpus))


def slots(nodes: Sequence[Node], need: Need) -> int:
    """How many trials the nodes hold at once."""
    return sum(capacity(node, need) for node in nodes)


def lacking(nodes: Sequence[Node], need: Need) -> str:
    """What the nearest node lacks, as a sentence; "" if one trial fits somewhere."""
    if any(capacity(node, need) for node in nodes):
        return ""
    if not nodes:
        return "there is no node"
    shortfalls = {node.name: _shortfall(node, need) for node in nodes}
    name, missing = min(shortfalls.items(), key=lambda item: len(item[1]))
    return f"no node has room for one trial; the nearest, {name}, has {' and '.join(missing)}"


def _shortfall(node: Node, need: Need) -> list[str]:
    missing = []
    if node.cpus < need.cpus:
        missing.append(f"{node.cpus:g} of the {need.cpus:g} CPUs")
    if node.gpus < need.gpus:
        missing.append(f"{node.gpus:g} of the {need.gpus:g} GPUs")
    if node.memory < need.memory:
        missing.append(f"{node.memory / 2**30:.1f} of the {need.memory / 2**30:.1f} GiB of memory")
    return missing
