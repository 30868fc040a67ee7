"""Asks the head of a cluster, before Ray joins it: Ray itself tries for minutes, and says little of why it failed."""

from __future__ import annotations

import threading
from typing import Any

from cluster.ray_private.names import ASKING_A_HEAD, CLUSTER_OF_THIS_MACHINE, TOKEN


class Head:
    """A connection to what listens at an address."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def has_this_node(self, patience_s: float) -> bool:
        """Whether this machine is a node of the head's cluster; True where Ray cannot be asked.

        Args:
            patience_s: For how long a node that has just started may be waited for.
        """
        found = ASKING_A_HEAD.find()
        if found is None:
            return True
        try:
            found[1](self._client, timeout_seconds=patience_s)
        except RuntimeError:
            return False
        return True


def can_be_asked() -> bool:
    """Whether the installed Ray lets a head be asked before joining."""
    return ASKING_A_HEAD.find() is not None


def ask(address: str, patience_s: float) -> Head:
    """Connect to the head at an address. In a thread: what is no head keeps Ray waiting.

    Args:
        address: host:port.
        patience_s: For how long to wait.

    Raises:
        TimeoutError: No answer came.
        Exception: Whatever Ray raised; an AuthenticationError if the head wants another token.
    """
    client, _ = ASKING_A_HEAD.require()
    got: list[Any] = []

    def connect() -> None:
        try:
            got.append(client(address=address))
        except Exception as error:  # raised again below
            got.append(error)

    thread = threading.Thread(target=connect, name="asks the head", daemon=True)
    thread.start()
    thread.join(patience_s)
    if not got:
        raise TimeoutError(f"no answer within {patience_s:g} s")
    if isinstance(got[0], Exception):
        raise got[0]
    return Head(got[0])


def enable_token() -> bool:
    """Have Ray present the token that it finds; False if it finds none, or offers no way to do so."""
    found = TOKEN.find()
    return bool(found[0]()) if found is not None else False


def heads_of_this_machine() -> list[str]:
    """The addresses of the heads of which this machine is a node.

    Ray's own ``address="auto"`` is no way out: it may mean a cluster that has ended, and then waits for minutes.

    Raises:
        UnsupportedRayError: The installed Ray cannot tell.
    """
    (find_addresses,) = CLUSTER_OF_THIS_MACHINE.require()
    getattr(find_addresses, "cache_clear", lambda: None)()
    return sorted(str(address) for address in find_addresses())
