"""How many trials fit at once if not all of them occupy the same: the largest first, each where there is room."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cluster.fit import Need
from cluster.inventory import ACCELERATOR, CPU, GPU, Node

_SLACK = 1e-6


def room_beside(nodes: Sequence[Node], groups: Sequence[tuple[Need, int]], more: Need) -> int:
    """How many trials fit on the nodes beside others; 0 if already the others do not all fit.

    Ray may have placed the others less tightly; then a trial waits that fits here.

    Args:
        nodes: The nodes.
        groups: What the others occupy, and how many occupy that.
        more: What a further one occupies.
    """
    rooms = [_Room(node) for node in nodes]
    for need, count in sorted(groups, key=lambda group: _size(group[0]), reverse=True):
        if _placed(rooms, need, count) < count:
            return 0
    return _placed(rooms, more, sys.maxsize)


def held_in_order(nodes: Sequence[Node], needs: Sequence[Need], *, max_gpus: float | None = None) -> int:
    """How many of these trials run at once if they start one after the other, until the first has no room.

    Args:
        nodes: The nodes.
        needs: What the trials occupy, in the order in which they start; from the beginning again after the last.
        max_gpus: A cap on the GPUs of all.
    """
    rooms, held, gpus = [_Room(node) for node in nodes], 0, 0.0
    while True:
        need = needs[held % len(needs)]
        gpus += need.all_gpus
        if (max_gpus is not None and gpus > max_gpus + _SLACK) or not _placed(rooms, need, 1):
            return held
        held += 1


def _placed(rooms: Sequence[_Room], need: Need, count: int) -> int:
    """Place as many trials as there is room for, at most ``count``; returns how many."""
    each = need.ranks if need.strict else 1  # ranks that must be on one node
    wanted = count * need.ranks // each if count < sys.maxsize else count
    fitting = [min(wanted, room.ranks(need) // each) for room in rooms]
    placed = min(count, sum(fitting) * each // need.ranks)
    left = placed * need.ranks // each
    for room, fits in zip(rooms, fitting, strict=True):
        taken = min(left, fits)
        room.take(need, taken * each)
        left -= taken
    return placed


def _size(need: Need) -> tuple[float, float, float]:
    return (need.all_gpus, need.cpus * need.ranks, need.memory * need.ranks)


class _Room:
    """What is left of a node, its GPUs one by one: a share is one of a single GPU, and whole ones are whole."""

    def __init__(self, node: Node) -> None:
        self._left = node.has
        self._gpus = [1.0] * int(node.gpus + _SLACK)

    def ranks(self, need: Need) -> int:
        """How many ranks fit."""
        counts = [int(self._left.get(name, 0.0) / wants + _SLACK) for name, wants in _counted(need).items()]
        if need.accelerator and f"{ACCELERATOR}{need.accelerator}" not in self._left:
            return 0
        if 0 < need.gpus < 1:
            counts.append(sum(int(left / need.gpus + _SLACK) for left in self._gpus))
        elif need.gpus:
            counts.append(int(self._gpus.count(1.0) / need.gpus + _SLACK))
        return min(counts)

    def take(self, need: Need, count: int) -> None:
        """Take the room of this many ranks, which fit."""
        for name, wants in _counted(need).items():
            self._left[name] -= wants * count
        for _ in range(round(need.gpus * count) if need.gpus >= 1 else 0):
            self._gpus.remove(1.0)
        for _ in range(count if 0 < need.gpus < 1 else 0):
            left = min(left for left in self._gpus if left >= need.gpus - _SLACK)  # so that whole GPUs stay whole
            self._gpus[self._gpus.index(left)] = left - need.gpus


def _counted(need: Need) -> dict[str, float]:
    """What a rank takes besides GPUs. One that takes nothing at all is counted as if it took a CPU."""
    wanted = need.bundle() or {CPU: 1.0}
    counted = {name: wants for name, wants in wanted.items() if name != GPU and not name.startswith(ACCELERATOR)}
    return counted or ({} if need.gpus else {CPU: 1.0})
