"""Asks a cluster for room that it does not have: what an autoscaler goes by when it adds nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def wanted(bundle: Mapping[str, float]) -> Iterator[None]:
    """While this is open, room for this much on one node is asked for; where it comes to be, it is kept free."""
    from ray.util import placement_group, remove_placement_group

    group = placement_group([dict(bundle)])
    try:
        yield
    finally:
        remove_placement_group(group)
