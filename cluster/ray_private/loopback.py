"""Keeps an embedded Ray from listening to other machines: nobody but this one needs to reach it.

Ray's processes listen on loopback only if that is the address of their node, and Ray replaces 127.0.0.1 by an address
that others reach, except where it takes clusters to be unsupported, as on macOS. That is what it is told here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

CLUSTERS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Ray's own variable for it; a user's value stands. It is read when Ray is imported, which may have happened."""


@contextmanager
def on_loopback() -> Iterator[None]:
    """A Ray that is started while this is open listens on loopback only."""
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    if CLUSTERS not in os.environ:
        ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
