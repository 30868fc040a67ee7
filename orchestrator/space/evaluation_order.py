"""The order in which names that need each other are evaluated."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


class CycleError(ValueError):
    """Names that need each other; ``names`` is the cycle, with its start repeated at the end."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__(" → ".join(names))


def evaluation_order(names: Sequence[str], needs: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """The names sorted so that each comes after the names it needs, otherwise in the given order.

    Raises:
        CycleError: The names depend on each other in a cycle.
    """
    order: list[str] = []
    waiting = list(names)
    while waiting:
        ready = next((name for name in waiting if all(need in order for need in needs.get(name, ()))), None)
        if ready is None:
            raise CycleError(_cycle(waiting, needs))
        order.append(ready)
        waiting.remove(ready)
    return tuple(order)


def _cycle(waiting: Sequence[str], needs: Mapping[str, Collection[str]]) -> list[str]:
    """A cycle among names that wait for each other, found by following needs until a name repeats."""
    path = [waiting[0]]
    while path[-1] not in path[:-1]:
        path.append(next(need for need in sorted(needs[path[-1]]) if need in waiting))
    return path[path.index(path[-1]) :]
