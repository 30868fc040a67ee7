"""Joins a Ray cluster that runs already, as a driver on one of its nodes, and leaves it running."""

from __future__ import annotations

import logging
import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cluster.errors import ClusterError
from cluster.settings import settle
from cluster.where import AUTO

REACH_S = 15.0
"""Seconds after which a head that does not answer counts as unreachable."""


@contextmanager
def connected(address: str, *, runtime_env: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Connect this process to a cluster, and disconnect afterwards; the cluster goes on.

    The sweep is a Ray job with a namespace of its own. Token authentication is Ray's: the token of ~/.ray/auth_token,
    RAY_AUTH_TOKEN_PATH or RAY_AUTH_TOKEN, if RAY_AUTH_MODE is token.

    Args:
        address: ``auto`` for the cluster of this machine, or host:port of its head.
        runtime_env: What Ray is to bring to the workers, as Ray describes it; None: nothing.

    Raises:
        ClusterError: There is no cluster, it wants another token or another version, or this is none of its nodes.
    """
    settle()
    if address != AUTO:
        _check_listens(address)
    import ray

    try:
        ray.init(
            address=address,
            namespace=f"sweep-{uuid.uuid4().hex}",
            runtime_env=dict(runtime_env) if runtime_env else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except Exception as error:  # Ray raises what it likes here
        raise ClusterError(_in_words(address, error)) from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_listens(address: str) -> None:
    """Ray itself would try for a minute where nothing listens."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_S).close()
    except OSError as error:
        why = f"no answer within {REACH_S:g} s" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise ClusterError(f"no Ray cluster at {address}: {why}") from error


def _in_words(address: str, error: BaseException) -> str:
    return f"cannot join the Ray cluster at {address}: {error}"
