"""Joins a Ray cluster that runs already, as a driver on one of its nodes, and leaves it running.

Ray itself tries for minutes where nothing answers, and says little of why. So the head is asked first: whether it is
one, whether it takes our token, and whether this machine is one of its nodes.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cluster.errors import ClusterError
from cluster.local.settings import settle
from cluster.local.watch import knock
from cluster.where import AUTO

REACH_S = 15.0
"""Seconds after which a head that does not answer counts as unreachable."""

NODE_S = 3.0
"""Seconds in which Ray finds out whether this machine is a node."""

TOKEN = (
    "Ray looks for its token in RAY_AUTH_TOKEN, in the file that RAY_AUTH_TOKEN_PATH names, and in ~/.ray/auth_token"
)


@contextmanager
def connected(address: str, *, runtime_env: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Connect this process to a cluster, and disconnect afterwards; the cluster goes on.

    The sweep is a Ray job with a namespace of its own. Authentication is Ray's. Where a cluster wants a token and
    RAY_AUTH_MODE does not say that it is not to be given, it is given the one that Ray finds.

    Args:
        address: ``auto`` for the cluster of this machine, or host:port of its head.
        runtime_env: What Ray is to bring to the workers, as Ray describes it; None: nothing.

    Raises:
        ClusterError: There is no cluster, it wants another token or another version, or this is none of its nodes.
    """
    settle()
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what goes wrong is said by us
    head = _on_this_machine() if address == AUTO else address
    _check_listens(head)
    with _quiet():
        _join(head, runtime_env)
    import ray

    try:
        yield
    finally:
        with _quiet():
            ray.shutdown()


def vital_places() -> dict[str, str]:
    """What the connected driver cannot do without, and where it listens."""
    import ray

    context = ray.get_runtime_context()
    here = next(node for node in ray.nodes() if node["NodeID"] == context.get_node_id())
    return {
        "the head of the Ray cluster": context.gcs_address,
        "this machine's own Ray": f"{here['NodeManagerAddress']}:{here['NodeManagerPort']}",
    }


def _on_this_machine() -> str:
    """The address of the one cluster that this machine is a node of."""
    if named := os.environ.get("RAY_ADDRESS", ""):
        return named
    from ray._private.services import find_gcs_addresses

    find_gcs_addresses.cache_clear()
    found = sorted(find_gcs_addresses())
    if not found:
        raise ClusterError(
            "no Ray cluster has a node on this machine: ray start --head starts one, ray start --address=host:port"
            " makes this machine a node of another"
        )
    if len(found) > 1:
        raise ClusterError(
            f"several Ray clusters have a node on this machine: say which, --on {' or --on '.join(found)}"
        )
    return str(found[0])


def _check_listens(head: str) -> None:
    try:
        knock(head, REACH_S)
    except (OSError, ValueError) as error:
        why = f"no answer within {REACH_S:g} s" if isinstance(error, TimeoutError) else _reason(error)
        raise ClusterError(f"no Ray cluster at {head}: {why}") from error


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _join(head: str, runtime_env: Mapping[str, Any] | None) -> None:
    import ray

    logging.getLogger("ray").setLevel(logging.ERROR)
    _check(head)
    try:
        ray.init(
            address=head,
            namespace=f"sweep-{uuid.uuid4().hex}",
            runtime_env=dict(runtime_env) if runtime_env else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except Exception as error:  # Ray raises what it likes here
        ray.shutdown()
        raise ClusterError(f"cannot join the Ray cluster at {head}: {' '.join(str(error).split())}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing that Ray's own libraries print comes to the terminal: what it means is raised."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _check(head: str) -> None:
    """Ask the head.

    Raises:
        ClusterError: It does not answer as a head answers one of its nodes.
    """
    from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available
    from ray._private.services import get_node_to_connect_for_driver
    from ray.exceptions import AuthenticationError

    try:
        client = _client(head)
    except AuthenticationError:
        if "RAY_AUTH_MODE" in os.environ or not maybe_enable_token_auth_if_token_available():
            raise ClusterError(_unauthorised(head)) from None
        try:
            client = _client(head)
        except AuthenticationError:
            raise ClusterError(_unauthorised(head)) from None
    try:
        get_node_to_connect_for_driver(client, timeout_seconds=NODE_S)
    except RuntimeError as error:
        raise ClusterError(
            f"this machine is no node of the Ray cluster at {head}, so no sweep can be driven from here:"
            f" ray start --address={head} makes it one; --on http://… gives the sweep to the cluster"
        ) from error


def _unauthorised(head: str) -> str:
    if os.environ.get("RAY_AUTH_MODE", "token") != "token":
        return f"the Ray cluster at {head} wants a token, and RAY_AUTH_MODE is {os.environ['RAY_AUTH_MODE']}"
    return f"the Ray cluster at {head} does not take our token. {TOKEN}"


def _client(head: str) -> Any:
    """A connection to the head, by which it is asked before Ray joins. In a thread: what is no head keeps it waiting.

    Raises:
        ClusterError: It does not answer.
        AuthenticationError: It wants another token.
    """
    from ray._raylet import GcsClient  # type: ignore[attr-defined]

    got: list[Any] = []

    def connect() -> None:
        try:
            got.append(GcsClient(address=head))
        except Exception as error:  # is raised again below
            got.append(error)

    thread = threading.Thread(target=connect, name="asks the head", daemon=True)
    thread.start()
    thread.join(REACH_S)
    if not got:
        raise ClusterError(f"what listens at {head} is no head of a Ray cluster: no answer within {REACH_S:g} s")
    if isinstance(got[0], Exception):
        raise got[0]
    return got[0]
