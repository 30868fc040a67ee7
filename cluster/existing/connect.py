"""Joins a running Ray cluster, as a driver on one of its nodes, and leaves the cluster running.

Where nothing answers, Ray itself tries for minutes and says little of why. So the head is asked first: whether it
belongs to a Ray cluster, whether it accepts our token, and whether this machine is one of its nodes.
"""

from __future__ import annotations

import logging
import os
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cluster.errors import ClusterError
from cluster.local.watch import knock
from cluster.ray_private import head
from cluster.ray_private.environment import set_for_ray
from cluster.ray_private.search_path import our_packages_first
from cluster.token import keep_private
from cluster.where import AUTO

REACH_S = 15.0
"""Seconds after which a head that does not answer counts as unreachable."""

NODE_S = 3.0
"""Seconds for which a node that has just started on this machine is waited for."""

TOKEN = (
    "Ray looks for its token in RAY_AUTH_TOKEN, in the file that RAY_AUTH_TOKEN_PATH names, and in ~/.ray/auth_token"
)


@contextmanager
def connected(address: str, *, runtime_env: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Connect this process to a cluster, and disconnect afterwards; the cluster keeps running.

    The sweep is a Ray job with a namespace of its own. Authentication is Ray's. A cluster that asks for a token is
    given the one that Ray finds, unless RAY_AUTH_MODE forbids it.

    Args:
        address: ``auto`` for the cluster of this machine, or host:port of its head.
        runtime_env: The runtime environment of the workers, as Ray describes it; None: none.

    Raises:
        ClusterError: There is no cluster, its token or version differs, or this machine is not one of its nodes.
    """
    keep_private()
    set_for_ray(joining=True)
    place = _on_this_machine() if address == AUTO else address
    _check_listens(place)
    with _quiet():
        _join(place, runtime_env)
    import ray

    try:
        yield
    finally:
        with _quiet():
            ray.shutdown()


def vital_places() -> dict[str, str]:
    """What a connected driver cannot run without, and where each listens, as host:port."""
    import ray

    context = ray.get_runtime_context()
    here = next(node for node in ray.nodes() if node["NodeID"] == context.get_node_id())
    return {
        "the head of the Ray cluster": context.gcs_address,
        "this machine's own Ray": f"{here['NodeManagerAddress']}:{here['NodeManagerPort']}",
    }


def _on_this_machine() -> str:
    """The address of the one cluster of which this machine is a node."""
    if named := os.environ.get("RAY_ADDRESS", ""):
        return named
    found = head.heads_of_this_machine()
    if not found:
        raise ClusterError(
            "no Ray cluster has a node on this machine; start one with ray start --head, or join one with"
            " ray start --address=host:port"
        )
    if len(found) > 1:
        raise ClusterError(
            f"several Ray clusters have a node on this machine; choose one with --on {' or --on '.join(found)}"
        )
    return found[0]


def _check_listens(place: str) -> None:
    try:
        knock(place, REACH_S)
    except (OSError, ValueError) as error:
        why = f"no answer within {REACH_S:g} s" if isinstance(error, TimeoutError) else _reason(error)
        raise ClusterError(f"no Ray cluster at {place}: {why}") from error


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _join(place: str, runtime_env: Mapping[str, Any] | None) -> None:
    import ray

    logging.getLogger("ray").setLevel(logging.ERROR)
    if head.can_be_asked():
        _check(place)
    elif "RAY_AUTH_MODE" not in os.environ:
        head.enable_token()
    try:
        ray.init(
            address=place,
            namespace=f"sweep-{uuid.uuid4().hex}",
            runtime_env=dict(runtime_env) if runtime_env else None,
            **our_packages_first(),
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except Exception as error:  # Ray raises what it likes here
        ray.shutdown()
        raise ClusterError(f"cannot join the Ray cluster at {place}: {' '.join(str(error).split())}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Ray's native libraries print off the terminal: errors are raised."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _check(place: str) -> None:
    """Ask the head.

    Raises:
        ClusterError: The head does not answer as one answers its own nodes.
    """
    from ray.exceptions import AuthenticationError

    try:
        asked = _asked(place)
    except AuthenticationError:
        if "RAY_AUTH_MODE" in os.environ or not head.enable_token():
            raise ClusterError(_unauthorised(place)) from None
        try:
            asked = _asked(place)
        except AuthenticationError:
            raise ClusterError(_unauthorised(place)) from None
    if not asked.has_this_node(NODE_S):
        raise ClusterError(
            f"this machine is not a node of the Ray cluster at {place}, so it cannot drive a sweep there:"
            f" make it one with ray start --address={place}, or submit the sweep with --on http://…"
        )


def _unauthorised(place: str) -> str:
    if os.environ.get("RAY_AUTH_MODE", "token") != "token":
        return f"the Ray cluster at {place} requires a token, and RAY_AUTH_MODE is {os.environ['RAY_AUTH_MODE']}"
    return f"the Ray cluster at {place} does not accept our token. {TOKEN}"


def _asked(place: str) -> head.Head:
    try:
        return head.ask(place, REACH_S)
    except TimeoutError as error:
        raise ClusterError(f"what listens at {place} is not the head of a Ray cluster: {error}") from None
