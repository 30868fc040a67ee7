"""Which rank runs where, and the environment that each is given: that of torchrun."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.node_health import Node
from orchestrator.worker.ranks.part import Part
from orchestrator.worker.ranks.verdicts import HeldPort


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a rank runs, and the GPUs that it has."""

    node: Node
    gpu_ids: tuple[str, ...]


def ranked(places: Sequence[Place]) -> list[int]:
    """The indices of the places in the order of their ranks: the first is rank 0, and a node's ranks are in a row."""
    first = places[0].node.id
    return sorted(range(len(places)), key=lambda at: (places[at].node.id != first, places[at].node.id, at))


def parts_of(places: Sequence[Place], *, master_port: int, verdict_port: int) -> list[Part]:
    """The part of each rank.

    Args:
        places: Of the ranks, in their order.
        master_port: Where rank 0 is to listen for the others' ``init_process_group``.
        verdict_port: Where rank 0 is to listen for the others' Listener.
    """
    host = places[0].node.name
    nodes = list(dict.fromkeys(place.node.id for place in places))
    begun: Counter[str] = Counter()
    parts = []
    for rank, place in enumerate(places):
        together = [other for other in places if other.node.id == place.node.id]
        environ = {
            "RANK": str(rank),
            "WORLD_SIZE": str(len(places)),
            "LOCAL_RANK": str(begun[place.node.id]),
            "LOCAL_WORLD_SIZE": str(len(together)),
            "GROUP_RANK": str(nodes.index(place.node.id)),
            "GROUP_WORLD_SIZE": str(len(nodes)),
            "MASTER_ADDR": host,
            "MASTER_PORT": str(master_port),
            "ROLE_NAME": "default",
            "ROLE_RANK": str(rank),
            "ROLE_WORLD_SIZE": str(len(places)),
            "TORCHELASTIC_RUN_ID": "sweep",  # by which libraries know torchrun: Lightning would else ask Slurm
            "TORCHELASTIC_RESTART_COUNT": "0",
            "TORCHELASTIC_MAX_RESTARTS": "0",
            **_visible_gpus(together),
        }
        begun[place.node.id] += 1
        parts.append(Part(rank=rank, ranks=len(places), environ=environ, verdicts=(host, verdict_port)))
    return parts


def sole_rank() -> Part:
    """The part of a rank that trains alone, on this machine."""
    here = Place(node=Node(id="", name="127.0.0.1"), gpu_ids=())
    port = HeldPort()
    port.let_go()
    (part,) = parts_of([here], master_port=port.number, verdict_port=0)
    return part


def _visible_gpus(together: Sequence[Place]) -> dict[str, str]:
    """The GPUs of all ranks on a node, in their order, of which LOCAL_RANK is the index, as with torchrun.

    Empty if ranks share a GPU: each sees that one alone, as Ray sets it.
    """
    gpus = [gpu for place in together for gpu in place.gpu_ids]
    return {"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus and len(set(gpus)) == len(gpus) else {}
