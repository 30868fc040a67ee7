"""The worker's side of Ray Tune: a Trainable without directories, and the session that ``tune.report`` reports to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from ray import tune

from cluster.ray_private.names import FUNCTION_SESSION


class LightTrainable(tune.Trainable):
    """A Trainable for which Ray Tune makes no directory, and whose configuration does not travel with each result."""

    config: dict[str, Any]

    def __init_subclass__(cls, **options: Any) -> None:
        """Make the methods the subclass's own: Ray sends them to workers, where a user's `cluster` may hide ours."""
        super().__init_subclass__(**options)
        for inherited in (LightTrainable.forget_config, LightTrainable._setup_logdir):
            method = FunctionType(inherited.__code__, inherited.__globals__, inherited.__name__)
            method.__module__, method.__qualname__ = cls.__module__, f"{cls.__qualname__}.{inherited.__name__}"
            setattr(cls, inherited.__name__, method)

    def forget_config(self) -> None:
        """Empty the configuration of this trial: Ray Tune sends it back with each result."""
        self.config = {}

    def _setup_logdir(self) -> None:
        """Neither make Ray Tune's directory for a trial, nor change into it."""


@contextmanager
def function_session(session: object) -> Iterator[None]:
    """While this is open, ``tune.report``, ``tune.get_checkpoint`` and ``tune.get_context`` of this process ask it.

    Args:
        session: Has the attributes and methods of Ray's own session (the same in 2.60 and, by its source, since 2.7).

    Raises:
        UnsupportedRayError: The installed Ray has no such session.
    """
    module, before = FUNCTION_SESSION.require()
    module._session = session  # as its init_session does
    try:
        yield
    finally:
        module._session = before
