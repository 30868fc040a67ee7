"""`sweep doctor --on` and `sweep plan --on`: what the nodes of a cluster have, and their problems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cluster.existing.probe import Probe, probe
from cluster.fit import ranks
from cluster.inventory import CPU, GPU, MEMORY, Node
from orchestrator.cli.views.doctor import LEAST_DISK, PACKAGES, Finding
from orchestrator.driver.preflight import existing, faults
from orchestrator.formatting import count, size
from orchestrator.sites.needs import Needs

MOST_SKEW_S = 2.0
"""Seconds by which clocks may differ before the times in the records get out of order."""


def node_rows(nodes: Sequence[Node], needs: Needs | None = None) -> list[dict[str, Any]]:
    """One row for each node: its free resources, and how many trials fit on it."""
    custom = sorted({name for node in nodes for name in node.custom})
    return [
        {
            "node": node.name,
            "CPUs free": _of(node, CPU, node.cpus),
            "GPUs free": _of(node, GPU, node.gpus),
            "type": node.accelerator or None,
            "memory free": f"{size(node.free.get(MEMORY, 0.0))} of {size(node.memory)}",
            **{name: _of(node, name, node.custom.get(name, 0.0)) for name in custom},
            **({} if needs is None else _held(node, needs)),
        }
        for node in nodes
    ]


def _held(node: Node, needs: Needs) -> dict[str, int]:
    """How many trials, or ranks of trials that may spread over nodes, fit on a node."""
    if needs.usual.ranks > 1 and not needs.usual.strict:
        return {"ranks": ranks(node, needs.kinds[-1])}
    return {"slots": needs.slots([node])}


def node_data(node: Node) -> dict[str, Any]:
    """A node as data: by Ray's names, what it has and what of that is free."""
    return {"name": node.name, "accelerator": node.accelerator or None, "has": node.has, "free": dict(node.free)}


def gpus_by_type(nodes: Sequence[Node]) -> str:
    """``GPUs: 3 of 8 A100 free, 4 of 4 V100 free``; "" if there are none."""
    kinds = sorted({node.accelerator for node in nodes if node.gpus})
    parts = []
    for kind in kinds:
        those = [node for node in nodes if node.gpus and node.accelerator == kind]
        free, total = sum(node.free.get(GPU, 0.0) for node in those), sum(node.gpus for node in those)
        parts.append(f"{free:g} of {total:g} {kind or 'of unknown type'} free")
    return f"GPUs: {', '.join(parts)}" if parts else ""


def examine_nodes(nodes: Sequence[Node], results: Path) -> Iterator[Finding]:
    """One finding for each node, as seen by a task on the node. Ray must be connected."""
    for each in probe(nodes, existing(results), PACKAGES, gpus=True):
        yield _finding(each)


def _finding(each: Probe) -> Finding:
    problems = faults(each, PACKAGES)
    hints = []
    if each.failed:
        hints.append("check that Ray runs on it, with a Python that Ray supports")
    elif problems:
        hints.append("install the same versions there; use a shared results directory (--results)")
    elif each.disk_free < LEAST_DISK:
        problems.append(f"{size(each.disk_free)} free")
        hints.append("free disk space, or choose another results directory (--results)")
    if each.torch_gpus is not None and each.torch_gpus < each.node.gpus:
        problems.append(f"torch sees {each.torch_gpus} of {count(int(each.node.gpus), 'GPU')}")
        hints.append("check that torch is built for this driver (nvidia-smi, torch.version.cuda)")
    if abs(each.skew_s) > MOST_SKEW_S:
        problems.append(f"its clock is {abs(each.skew_s):.0f} s {'ahead' if each.skew_s > 0 else 'behind'}")
        hints.append("synchronise the clocks (chrony, ntp)")
    seen = "" if each.torch_gpus is None else f", torch sees {count(each.torch_gpus, 'GPU')}"
    well = f"same versions, shared results directory{seen}, {size(each.disk_free)} free"
    return Finding(subject="node", found=f"{each.node.name}: {'; '.join(problems) or well}", hint="; ".join(hints))


def _of(node: Node, name: str, total: float) -> str | None:
    return f"{node.free.get(name, 0.0):g} of {total:g}" if total else None
