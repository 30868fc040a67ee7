"""What one trial occupies, as Ray Tune asks for it, with options that are decided only when a process starts.

Ray Tune keeps processes for later trials by what they occupy, so two requests for the same are equal, wherever each of
them leads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ray.tune import PlacementGroupFactory
from ray.util.placement_group import PlacementGroup, placement_group

from cluster.ray_private.names import SOFT_TARGET

NODE_LABEL = "ray.io/node-id"
"""The label that Ray gives each node."""

SPENT = PlacementGroupFactory([{"spent": 1}])
"""Given to a trial whose process is not to be used again. Nothing is ever placed with it."""


class PlacementRequest(PlacementGroupFactory):
    """What one trial occupies."""

    def __init__(
        self,
        bundle: Mapping[str, float],
        options: Callable[[Mapping[str, float]], dict[str, Any]],
        *,
        ranks: int = 1,
        strict: bool = False,
    ) -> None:
        """
        Args:
            bundle: Amounts by Ray's names of resources.
            options: Gives further arguments of Ray's ``placement_group``, each time a process is about to start.
            ranks: How many such bundles the trial occupies. The trial's process is in the first.
            strict: Whether all of them must be on one node; else on as few as there is room on.
        """
        super().__init__([dict(bundle) for _ in range(ranks)], strategy="STRICT_PACK" if strict else "PACK")
        self._options = options

    def __reduce__(self) -> tuple[type[PlacementGroupFactory], tuple[list[dict[str, float]], str]]:
        """A worker gets Ray's own class: the options are for this process, and this package may not be there."""
        return PlacementGroupFactory, ([dict(bundle) for bundle in self.bundles], self.strategy)

    def to_placement_group(self) -> PlacementGroup:
        """Ask for a place for a new process. Where Ray Tune does not call this, it asks without the options."""
        bundles = self.bundles
        return placement_group(bundles, **{"strategy": self.strategy, **self._options(bundles[0])})


def avoiding(nodes: list[str], *, ranks: int = 1) -> dict[str, Any]:
    """The option that leaves nodes out, given their ids and the number of bundles."""
    return {"bundle_label_selector": [{NODE_LABEL: f"!in({','.join(nodes)})"}] * ranks} if nodes else {}


def preferring(node: str) -> dict[str, Any]:
    """The options that fill a node first, given its id; none where Ray offers no way to."""
    return {"strategy": "STRICT_PACK", "_soft_target_node_id": node} if SOFT_TARGET.find() is not None else {}


def discard_process_after(trial: Any) -> None:
    """Have Ray Tune end a trial's process with the trial: it keeps processes by what their trial occupied."""
    trial.placement_group_factory = SPENT
