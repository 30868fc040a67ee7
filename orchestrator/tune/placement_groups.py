"""Where a trial's process is placed: what the trial occupies, and which nodes are avoided.

The nodes to avoid are determined when Ray Tune asks for a new process. Processes that already run on such a node are
not reused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from cluster.fit import Need
from cluster.ray_private.cluster_state import free_resources
from cluster.ray_private.placement_request import PlacementRequest, avoiding, preferring

LOOK_S = 2.0
"""Seconds between two queries of free resources, when packing. In between, each new request is subtracted, because Ray
counts its resources as free until the process is placed."""

Bundle = Mapping[str, float]

NEXT_TO_NOTHING: Bundle = {"CPU": 0.001}
"""Ray refuses to place a trial that occupies nothing."""


class Placement:
    """Makes the placement requests of a sweep's trials, and decides where new processes go."""

    def __init__(self, *, avoided: Callable[[], Collection[str]], pack: bool = False) -> None:
        """
        Args:
            avoided: Returns the ids of the nodes to avoid now.
            pack: Fill one node after the other. Otherwise Ray takes the node with the most room, which spreads trials.
        """
        self._avoided = avoided
        self._pack = pack
        self._requests: dict[tuple[object, ...], PlacementRequest] = {}
        self._free: dict[str, dict[str, float]] = {}
        self._next = 0.0

        global _current
        _current = self

    def __reduce__(self) -> tuple[Callable[[], Placement | None], tuple[()]]:
        """Pickle as a reference: Ray Tune pickles the placement, and must get the same object back in the driver."""
        return _placement_of_this_run, ()

    def request(self, need: Need) -> PlacementRequest:
        """The placement request of a trial that occupies this."""
        bundle = need.bundle() or NEXT_TO_NOTHING
        key = (need.ranks, need.strict, *sorted(bundle.items()))
        if key not in self._requests:
            options = partial(self._options, need.ranks)
            self._requests[key] = PlacementRequest(bundle, options, ranks=need.ranks, strict=need.strict)
        return self._requests[key]

    def _options(self, ranks: int, bundle: Bundle) -> dict[str, Any]:
        avoided = sorted(self._avoided())
        whole = {name: amount * ranks for name, amount in bundle.items()}
        target = self._fullest(whole, avoided) if self._pack else None
        return avoiding(avoided, ranks=ranks) | (preferring(target) if target is not None else {})

    def _fullest(self, bundle: Bundle, avoided: Collection[str]) -> str | None:
        """The id of the fullest node that still has room; None if no node has."""
        if time.monotonic() >= self._next:
            self._free, self._next = free_resources(), time.monotonic() + LOOK_S
        fitting = [
            node
            for node, has in self._free.items()
            if node not in avoided and all(has.get(name, 0.0) >= bundle[name] for name in bundle)
        ]
        main = "GPU" if "GPU" in bundle else "CPU"
        target = min(fitting, key=lambda node: (self._free[node].get(main, 0.0), node), default=None)
        if target is not None:
            has = self._free[target]
            self._free[target] = {name: has[name] - bundle.get(name, 0.0) for name in has}
        return target


_current: Placement | None = None


def _placement_of_this_run() -> Placement | None:
    """The newest placement of this process; None in a worker, which places nothing."""
    return _current
