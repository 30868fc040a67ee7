"""When Ray kills a worker to free memory, an attempt is lost, not the run; tests/system/test_memory.py does it."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest
from ray.air.execution._internal.actor_manager import RayActorManager
from ray.exceptions import OutOfMemoryError, RayActorError

from cluster.ray_private.memory_kills import surviving_memory_kills

KILLED = OutOfMemoryError("1 worker(s) were killed due to the node running low on memory.")


def fail(task: MagicMock, error: Exception) -> None:
    RayActorManager._actor_task_failed(MagicMock(), tracked_actor_task=task, exception=error)


def test_a_kill_is_reported_as_the_death_of_the_actor() -> None:
    task = MagicMock()
    with surviving_memory_kills():
        fail(task, KILLED)
    (_, told), _ = task._on_error.call_args
    assert isinstance(told, RayActorError)
    assert str(told) == f"OutOfMemoryError: {KILLED}"


def test_errors_that_ray_tune_expects_are_passed_on_unchanged() -> None:
    task, died = MagicMock(), RayActorError(error_msg="gone")
    with surviving_memory_kills():
        fail(task, died)
    (_, told), _ = task._on_error.call_args
    assert told is died


def test_ray_tune_alone_does_not_survive_it() -> None:
    """When this fails, cluster/ray_private/memory_kills.py is no longer needed."""
    with pytest.raises(RuntimeError, match="unexpected exception"):
        fail(MagicMock(), KILLED)
