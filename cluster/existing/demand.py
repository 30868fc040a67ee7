"""Requests room that a cluster does not have, so that an autoscaler adds nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager


@contextmanager
def wanted(bundles: Sequence[Mapping[str, float]]) -> Iterator[None]:
    """While this is open, request room for each of these amounts on a node; once there is room, it is kept free."""
    from ray.util import placement_group, remove_placement_group

    group = placement_group([dict(bundle) for bundle in bundles])
    try:
        yield
    finally:
        remove_placement_group(group)
