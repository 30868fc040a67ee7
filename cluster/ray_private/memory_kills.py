"""Lets a run of Ray Tune survive a worker that Ray kills because its node is short of memory.

Ray reports the kill by an error that Ray Tune does not expect of an actor, and that ends the whole run. Reported as the
death of the actor, the kill costs one attempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray.exceptions import RayActorError, RayError, RayTaskError

from cluster.ray_private.names import MEMORY_KILLS


@contextmanager
def surviving_memory_kills() -> Iterator[None]:
    """While this is open, every error of Ray's own that ends an actor's task counts as the actor's death, if it can."""
    found = MEMORY_KILLS.find()
    if found is None:
        yield
        return
    manager, theirs = found

    def failed(self: Any, tracked_actor_task: Any, exception: Exception) -> None:
        if isinstance(exception, RayError) and not isinstance(exception, RayActorError | RayTaskError):
            exception = RayActorError(error_msg=f"{type(exception).__name__}: {exception}")
        theirs(self, tracked_actor_task, exception)

    manager._actor_task_failed = failed
    try:
        yield
    finally:
        manager._actor_task_failed = theirs
