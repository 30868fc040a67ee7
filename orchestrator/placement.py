"""What one trial of a spec occupies, and how many fit at once: the spec's resources against the cluster's nodes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from cluster.fit import Need, lacking, slots
from cluster.inventory import Node, this_machine
from orchestrator.errors import InfeasibleError
from orchestrator.spec import Spec


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What Ray embedded in this process may use; None: all there is."""

    cpus: int | None = None
    gpus: int | None = None

    def node(self) -> Node:
        """The one node there will be."""
        return this_machine(cpus=self.cpus, gpus=self.gpus)


def need_of(spec: Spec, found: Sequence[Node]) -> Need:
    """What one trial occupies; `gpu: auto` is one GPU if any node has one."""
    asked = spec.resources.gpu
    gpus = float(any(node.gpus for node in found)) if asked == "auto" else float(asked)
    return Need(cpus=spec.resources.cpu, gpus=gpus, memory=float(spec.resources.memory or 0))


def free_slots(spec: Spec, found: Sequence[Node]) -> int:
    """How many trials run at once, by the spec.

    Raises:
        InfeasibleError: Not even one fits.
    """
    return min(capacity(spec, found), spec.resources.concurrency or sys.maxsize)


def capacity(spec: Spec, found: Sequence[Node]) -> int:
    """How many trials fit at once.

    Raises:
        InfeasibleError: Not even one does.
    """
    need = need_of(spec, found)
    problem = lacking(found, need)
    if problem:
        raise InfeasibleError(f"{problem} (resources in the spec; --cpus and --gpus say what the machine has)")
    return slots(found, need)
