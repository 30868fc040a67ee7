"""Keeps an embedded Ray from starting what no sweep needs: half of the time that it takes to start on two cores.

Ray has no setting for them: an API server, which starts without a dashboard, too, to count usage, and is waited for; a
monitor for an autoscaler where there is none; and one that brings logs to a driver, although that is told not to.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

LEFT_OUT = ("start_api_server", "start_log_monitor", "start_monitor")
"""By the methods of Ray's (2.60) node that start them."""


@contextmanager
def lean() -> Iterator[None]:
    """A Ray that is started while this is open has no such processes."""
    from ray._private.node import Node

    before = {name: getattr(Node, name) for name in LEFT_OUT}
    for name in LEFT_OUT:
        setattr(Node, name, _left_out)
    try:
        yield
    finally:
        for name, method in before.items():
            setattr(Node, name, method)


def _left_out(*_: object, **__: object) -> None:
    """In place of each."""
