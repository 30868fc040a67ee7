"""What nodes have: those of the connected Ray cluster, or of this machine before Ray starts on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cluster.existing import presence

CPU, GPU, MEMORY = "CPU", "GPU", "memory"
ACCELERATOR = "accelerator_type:"
_RAYS_OWN = ("object_store_memory", "node:")
_NVIDIA = Path("/proc/driver/nvidia/gpus")


@dataclass(frozen=True, kw_only=True)
class Node:
    """One machine, by what it offers in total."""

    name: str  # its address
    id: str = ""  # Ray's; "" before Ray runs there
    cpus: float
    gpus: float = 0.0
    memory: float = 0.0  # bytes that trials may ask for
    accelerator: str = ""  # the type of its GPUs; "" if it has none, or Ray does not know it
    custom: Mapping[str, float] = field(default_factory=dict)  # what it names itself
    free: Mapping[str, float] = field(default_factory=dict)  # what nobody occupies, by Ray's names

    @property
    def has(self) -> dict[str, float]:
        """All of it, by Ray's names."""
        mark = {f"{ACCELERATOR}{self.accelerator}": 1.0} if self.accelerator else {}
        return {CPU: self.cpus, GPU: self.gpus, MEMORY: self.memory, **self.custom, **mark}


def nodes() -> tuple[Node, ...]:
    """The nodes that are alive, by name. Two questions to the head, which take milliseconds."""
    import ray

    free = presence.free()
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
    """What Ray embedded in this process would have, without starting it.

    Args:
        cpus: As given to ``local.embedded``; None: what this process may use.
        gpus: The same; None: the NVIDIA devices that the driver lists.
    """
    import os
    import socket

    import psutil

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    devices = sorted(_NVIDIA.glob("*"))
    found = len(devices)
    if visible is not None:
        found = min(found, len([device for device in visible.split(",") if device.strip() not in ("", "-1")]))
    node = Node(
        name=socket.gethostname(),
        cpus=float(cpus if cpus is not None else len(os.sched_getaffinity(0))),
        gpus=float(gpus if gpus is not None else found),
        memory=float(psutil.virtual_memory().total),
        accelerator=_type(devices[0]) if devices and gpus != 0 else "",
    )
    return replace(node, free=node.has)


def _type(device: Path) -> str:
    """The accelerator type of a device; "" if that cannot be told."""
    try:
        lines = (device / "information").read_text().splitlines()
    except OSError:
        return ""
    model = next((line.partition(":")[2] for line in lines if line.startswith("Model:")), "")
    return accelerator_type(model)


def accelerator_type(model: str) -> str:
    """As Ray (2.60) shortens it: "NVIDIA A100-SXM4-40GB" is A100, "NVIDIA GeForce RTX 5090" is GeForce-RTX-5090."""
    words = model.split()[1:]
    short = []
    for word in (word.partition("-")[0] for word in words):
        if word != word.upper():
            break
        short.append(word)
        if any(letter.isdigit() for letter in word):
            return "-".join(short)
    return "-".join(words)
