"""Keeps an embedded Ray from listening to other machines, none of which needs to reach it.

Ray's processes listen on loopback only if that is the address of their node. Ray replaces 127.0.0.1 by an address that
other machines reach, except where it does not support clusters, as on macOS. So Ray is told that it does not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from cluster.ray_private.names import LOOPBACK_ONLY

CLUSTERS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Ray's variable for the same. Ray reads it when it is imported, which may have happened; a user's value stands."""


@contextmanager
def loopback_only() -> Iterator[None]:
    """A Ray that starts while this is open listens on loopback only, if it can."""
    found = LOOPBACK_ONLY.find()
    if found is None or CLUSTERS in os.environ:
        yield
        return
    constants, before = found
    constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before
