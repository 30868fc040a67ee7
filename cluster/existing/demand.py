"""Requests room that a cluster does not have, so that an autoscaler adds nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def wanted(bundle: Mapping[str, float]) -> Iterator[None]:
    """While this is open, request room for these amounts on one node; once there is such room, it is kept free."""
    from ray.util import placement_group, remove_placement_group

    group = placement_group([dict(bundle)])
    try:
        yield
    finally:
        remove_placement_group(group)
