"""Does one trial fit on a node, and how many at once."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cluster.inventory import ACCELERATOR, CPU, GPU, MEMORY, Node

_A_LITTLE = 0.001
"""Of the resource by which Ray marks the nodes of an accelerator type: what its own ``accelerator_type=`` asks for."""

_SLACK = 1e-9  # of sums of fractions


@dataclass(frozen=True, kw_only=True)
class Need:
    """What one trial occupies: this on one node, as many times as it has ranks."""

    ranks: int = 1
    strict: bool = False  # whether all ranks must be on one node
    cpus: float = 1.0
    gpus: float = 0.0
    memory: float = 0.0  # bytes
    custom: Mapping[str, float] = field(default_factory=dict)  # by the nodes' own names
    accelerator: str = ""  # the type of GPU the node must have

    @property
    def all_gpus(self) -> float:
        """GPUs of all ranks."""
        return self.ranks * self.gpus

    def bundle(self) -> dict[str, float]:
        """What a rank occupies, as Ray names it, what is none left out."""
        mark = {f"{ACCELERATOR}{self.accelerator}": _A_LITTLE} if self.accelerator else {}
        amounts = {CPU: self.cpus, GPU: self.gpus, MEMORY: self.memory, **self.custom, **mark}
        return {name: wants for name, wants in amounts.items() if wants}


def capacity(node: Node, need: Need) -> int:
    """How many trials of this need one node holds at once."""
    return ranks(node, need) // need.ranks


def ranks(node: Node, need: Need) -> int:
    """How many ranks of such trials one node holds at once."""
    return _times(node.has, need)


def room(node: Node, need: Need) -> int:
    """How many more it holds beside what occupies it now."""
    return _times(node.free, need) // need.ranks


def _times(has: Mapping[str, float], need: Need) -> int:
    wanted = need.bundle()
    counts = [
        int(has.get(name, 0.0) / wants + _SLACK) for name, wants in wanted.items() if not name.startswith(ACCELERATOR)
    ]
    if need.accelerator and f"{ACCELERATOR}{need.accelerator}" not in has:
        return 0
    if 0 < need.gpus < 1:  # Ray never splits one trial's share over two GPUs
        counts.append(int(has.get(GPU, 0.0) + _SLACK) * int(1 / need.gpus + _SLACK))
    return min(counts) if counts else max(1, int(has.get(CPU, 0.0)))


def slots(nodes: Sequence[Node], need: Need, *, max_gpus: float | None = None) -> int:
    """How many trials the nodes hold at once, within a cap on the GPUs of all."""
    allowed = sys.maxsize if max_gpus is None or not need.gpus else int(max_gpus / need.all_gpus + _SLACK)
    if need.strict:
        return min(allowed, sum(capacity(node, need) for node in nodes))
    return min(allowed, sum(ranks(node, need) for node in nodes) // need.ranks)


def lacking(nodes: Sequence[Node], need: Need) -> str:
    """What the nearest node lacks, as a sentence; "" if one trial fits somewhere."""
    if slots(nodes, need):
        return ""
    if not nodes:
        return "there is no node"
    held = [(ranks(node, need), node.name) for node in nodes]
    most, largest = max(held, key=lambda each: each[0])
    if most and need.strict:
        return f"no node has room for the {need.ranks} ranks of one trial; {largest} has room for {most}"
    if most:
        return f"the nodes have room for {sum(number for number, _ in held)} of the {need.ranks} ranks of one trial"
    shortfalls = [(_shortfall(node, need), node.name) for node in nodes]
    missing, name = min(shortfalls, key=lambda each: (len(each[0]), sum(each[0].values()), each[1]))
    what = "one trial" if need.ranks == 1 else "a rank of one trial"
    return f"no node has room for {what}; the nearest, {name}, has {' and '.join(missing)}"


def _shortfall(node: Node, need: Need) -> dict[str, float]:
    """What is missing, in words, and which share of what is wanted that is."""
    missing = {}
    for name, wants in need.bundle().items():
        has = node.has.get(name, 0.0)
        if has < wants:
            missing[_in_words(name, has, wants, node)] = 1 - has / wants
    return missing


def _in_words(name: str, has: float, wants: float, node: Node) -> str:
    if name in (CPU, GPU):
        return f"{has:g} of the {wants:g} {name}s"
    if name == MEMORY:
        return f"{has / 2**30:.1f} of the {wants / 2**30:.1f} GiB of memory"
    if name.startswith(ACCELERATOR):
        other = f", but {node.accelerator}" if node.accelerator else ""
        return f"no {name.removeprefix(ACCELERATOR)}{other}"
    return f"{has:g} of the {wants:g} {name}"
