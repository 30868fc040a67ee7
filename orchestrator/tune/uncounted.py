"""Keeps Ray Tune from importing mlflow, wandb and comet at the start of each run, where they are installed: seconds.

It does so in order to count, for its usage statistics, how often its own callbacks for them are used. We use none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ray.air._internal import usage


@contextmanager
def uncounted() -> Iterator[None]:
    """A run that begins while this is open counts no callbacks."""
    theirs = usage.tag_callbacks
    usage.tag_callbacks = lambda callbacks: False
    try:
        yield
    finally:
        usage.tag_callbacks = theirs
