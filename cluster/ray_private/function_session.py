"""The session that ``tune.report`` of a process reports to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cluster.ray_private.names import FUNCTION_SESSION


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
