"""Keeps Ray Tune from importing MLflow, W&B and Comet, only to count for its statistics who uses their loggers.

Where MLflow and W&B are installed, that is 2 s of a start in which no trial trains.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cluster.ray_private.names import CALLBACK_COUNT


@contextmanager
def callbacks_uncounted() -> Iterator[None]:
    """A run of Ray Tune that starts while this is open does not count its callbacks, if it can."""
    found = CALLBACK_COUNT.find()
    if found is None:
        yield
        return
    usage, count = found
    usage.tag_callbacks = lambda _: None
    try:
        yield
    finally:
        usage.tag_callbacks = count
