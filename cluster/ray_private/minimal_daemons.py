"""Keeps an embedded Ray from starting daemons that no sweep needs: half of its start on two cores.

Ray has no setting to leave these out: an API server, which starts even without a dashboard to count usage, and for
which a start waits; an autoscaler's monitor where there is no autoscaler; and a monitor that forwards logs to a driver
that has refused them. The agent of each node it starts as where Ray was installed without its dashboard, as small as it
can be, if it believes that here.
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
    *methods, utils, dashboard_error = found
    node = methods.pop(0)
    replaced = [(node, method) for method in methods] + [(utils, dashboard_error)]
    for owner, function in replaced:
        setattr(owner, function.__name__, _start_nothing if owner is node else _no_dashboard)
    try:
        yield
    finally:
        for owner, function in replaced:
            setattr(owner, function.__name__, function)


def _start_nothing(*_: object, **__: object) -> None:
    """Stands in for each method of Ray's node that starts such a daemon."""


def _no_dashboard() -> ImportError:
    """Stands in for Ray's attempt to import what its dashboard needs, which takes the driver half a second as well."""
    return ImportError("left out")
