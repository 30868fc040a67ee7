"""What nodes have: those of the connected Ray cluster, or of this machine before Ray starts on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cluster.gpus import count
from cluster.ray_private.cluster_state import free_resources

CPU, GPU, MEMORY = "CPU", "GPU", "memory"
ACCELERATOR = "accelerator_type:"
_RAYS_OWN = ("object_store_memory", "node:")


@dataclass(frozen=True, kw_only=True)
class Node:
    """One machine, by what it offers in total."""

    name: str  # IP address, or the host name before Ray runs there
    id: str = ""  # Ray's node id; "" before Ray runs there
    cpus: float
    gpus: float = 0.0
    memory: float = 0.0  # bytes that trials may ask for
    accelerator: str = ""  # type of its GPUs; "" if there are none or Ray does not know their type
    custom: Mapping[str, float] = field(default_factory=dict)  # custom resources
    free: Mapping[str, float] = field(default_factory=dict)  # what is not in use, by Ray's names

    @property
    def has(self) -> dict[str, float]:
        """What the node offers in total, by Ray's names."""
        mark = {f"{ACCELERATOR}{self.accelerator}": 1.0} if self.accelerator else {}
        return {CPU: self.cpus, GPU: self.gpus, MEMORY: self.memory, **self.custom, **mark}


def nodes() -> tuple[Node, ...]:
    """The nodes that are alive, by name. Two questions to the head, which take milliseconds."""
    import ray

    free = free_resources()
    found = (_node(raw, free.get(str(raw["NodeID"]), {})) for raw in ray.nodes() if raw["Alive"])
    return tuple(sorted(found, key=lambda node: (node.name, node.id)))


def _node(raw: Mapping[str, object], free: Mapping[str, float]) -> Node:
    has: dict[str, float] = dict(raw["Resources"])  # type: ignore[call-overload]
    marks = [name for name in has if name.startswith(ACCELERATOR)]
    return Node(
        name=str(raw["NodeManagerAddress"]),
        id=str(raw["NodeID"]),
        cpus=has.pop(CPU, 0.0),
        gpus=has.pop(GPU, 0.0),
        memory=has.pop(MEMORY, 0.0),
        accelerator=marks[0].removeprefix(ACCELERATOR) if marks else "",
        custom={name: amount for name, amount in has.items() if not name.startswith((*_RAYS_OWN, ACCELERATOR))},
        free=free,
    )


def this_machine(*, cpus: float | None = None, gpus: float | None = None) -> Node:
    """What Ray embedded in this process would have, without starting Ray.

    Args:
        cpus: As given to ``local.embedded``; None: what this process may use.
        gpus: The same; None: what ``gpus.count`` finds. More than there are is allowed: only placement sees them.

    Raises:
        ClusterError: Ray would refuse to start with these GPUs.
    """
    import socket

    import psutil

    found = count.Gpus() if gpus == 0 else count.gpus()
    if gpus is not None:
        count.check_pretended(gpus)
    number = float(found.number if gpus is None else gpus)
    node = Node(
        name=socket.gethostname(),
        cpus=float(cpus if cpus is not None else _usable_cpus()),
        gpus=number,
        memory=float(psutil.virtual_memory().total),
        accelerator=found.accelerator if number else "",
    )
    return replace(node, free=node.has)


def _usable_cpus() -> int:
    """The CPUs that this process may use; all of them on macOS, which cannot tie a process to some."""
    import psutil

    process = psutil.Process()
    return len(process.cpu_affinity()) if hasattr(process, "cpu_affinity") else psutil.cpu_count() or 1
