"""Lets a run of Ray Tune outlive a worker that Ray kills because its node is short of memory.

Ray then says so by an error that Ray Tune does not expect of an actor, and which ends the whole run. Told as the death
of the actor that it is, it costs one attempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray.air.execution._internal.actor_manager import RayActorManager
from ray.exceptions import RayActorError, RayError, RayTaskError


@contextmanager
def outliving_kills() -> Iterator[None]:
    """While this is open, every error of Ray's own by which a task of an actor ends counts as the actor's death."""
    theirs = RayActorManager._actor_task_failed

    def failed(self: RayActorManager, tracked_actor_task: Any, exception: Exception) -> None:
        if isinstance(exception, RayError) and not isinstance(exception, RayActorError | RayTaskError):
            exception = RayActorError(error_msg=f"{type(exception).__name__}: {exception}")
        theirs(self, tracked_actor_task, exception)

    RayActorManager._actor_task_failed = failed
    try:
        yield
    finally:
        RayActorManager._actor_task_failed = theirs
