"""Where a trial's process goes: what it occupies, and which nodes are left out, for Ray Tune's placement groups.

Ray Tune keeps processes for later trials by what they occupy, so requests for the same are equal. Which nodes are left
out is decided only when a new process is asked for; a process that stands on such a node is not used again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from ray.tune import PlacementGroupFactory
from ray.util.placement_group import PlacementGroup, placement_group

from cluster.existing.presence import free
from cluster.fit import Need

LOOK_S = 2.0
"""Seconds between two looks at what is free, when packing. In between what was asked for is subtracted: until Ray has
placed it, Ray calls it free."""

NODE = "ray.io/node-id"
"""The label that Ray gives each node."""

SPENT = PlacementGroupFactory([{"spent": 1}])
"""What a trial is said to occupy when its process is not to be used again. Nothing is ever asked for with it."""

Bundle = Mapping[str, float]

NEXT_TO_NOTHING: Bundle = {"CPU": 0.001}
"""Ray refuses to place what occupies nothing."""
Options = dict[str, Any]


class Request(PlacementGroupFactory):
    """What one trial occupies. Equal to any other request for the same, wherever each of them leads."""

    def __init__(self, bundle: Bundle, options: Callable[[Bundle], Options]) -> None:
        super().__init__([dict(bundle)])
        self._options = options

    def to_placement_group(self) -> PlacementGroup:
        """Ray Tune wants a new process."""
        (bundle,) = self.bundles
        return placement_group([bundle], **self._options(bundle))


class Placement:
    """Makes the requests of a sweep's trials, and says where new processes go."""

    def __init__(self, need: Need, *, avoided: Callable[[], Collection[str]], pack: bool = False) -> None:
        """
        Args:
            need: Of one trial.
            avoided: The ids of nodes on which nothing is to be started, now.
            pack: Fill one node after the other. Otherwise Ray takes the node with the most room, which spreads them.
        """
        self._need = need
        self._avoided = avoided
        self._pack = pack
        self._requests: dict[float, Request] = {}  # by GPUs
        self._free: dict[str, dict[str, float]] = {}
        self._next = 0.0

    def __getstate__(self) -> dict[str, Any]:
        """Ray Tune pickles what it is given, to restore a run some day; ours never is."""
        return {}

    def request(self, gpus: float | None = None) -> PlacementGroupFactory:
        """What a trial with so many GPUs occupies; None: as many as the sweep says."""
        share = self._need.gpus if gpus is None else gpus
        if share not in self._requests:
            self._requests[share] = Request(replace(self._need, gpus=share).bundle() or NEXT_TO_NOTHING, self._options)
        return self._requests[share]

    def _options(self, bundle: Bundle) -> Options:
        avoided = sorted(self._avoided())
        options: Options = {}
        if avoided:
            options["bundle_label_selector"] = [{NODE: f"!in({','.join(avoided)})"}]
        target = self._fullest(bundle, avoided) if self._pack else None
        if target is not None:
            options |= {"strategy": "STRICT_PACK", "_soft_target_node_id": target}
        return options

    def _fullest(self, bundle: Bundle, avoided: Collection[str]) -> str | None:
        """The node with the least room that still has enough; None if none has."""
        if time.monotonic() >= self._next:
            self._free, self._next = free(), time.monotonic() + LOOK_S
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
