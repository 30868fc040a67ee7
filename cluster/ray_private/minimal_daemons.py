"""Keeps an embedded Ray from starting daemons that no sweep needs: half of its start on two cores.

Ray has no setting to leave these out: an API server, which starts even without a dashboard to count usage, and for
which a start waits; an autoscaler's monitor where there is no autoscaler; and a monitor that forwards logs to a driver
that has refused them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cluster.ray_private.names import MINIMAL_DAEMONS


@contextmanager
def minimal_daemons() -> Iterator[None]:
    """A Ray that starts while this is open starts without these daemons, if it can."""
    found = MINIMAL_DAEMONS.find()
    if found is None:
        yield
        return
    node, *methods = found
    for method in methods:
        setattr(node, method.__name__, _start_nothing)
    try:
        yield
    finally:
        for method in methods:
            setattr(node, method.__name__, method)


def _start_nothing(*_: object, **__: object) -> None:
    """Stands in for each method of Ray's node that starts such a daemon."""
