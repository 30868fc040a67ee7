"""Waits until a growing cluster has room for one trial, the largest that there will be."""

from __future__ import annotations

import time
from collections.abc import Callable

from cluster.engine import Engine
from cluster.existing.demand import wanted
from orchestrator.sites.needs import needs_of
from orchestrator.spec import Spec

LOOK_S = 2.0
"""Seconds between two queries of the nodes."""

SAY_S = 60.0
"""Seconds between two messages."""


def wait_for_node(engine: Engine, spec: Spec, say: Callable[[str], object]) -> None:
    """Wait until one trial, whichever it is, fits on some node.

    Args:
        engine: An engine that has been reached.
        spec: The checked spec.
        say: Called at intervals with what the sweep is waiting for.
    """
    nodes = engine.nodes()
    if not needs_of(spec, nodes).lacking(nodes):
        return
    began, next_ = time.monotonic(), 0.0
    need = needs_of(spec, nodes).kinds[-1]
    with wanted([need.bundle()] * need.ranks):
        while problem := needs_of(spec, nodes).lacking(nodes):
            waited = time.monotonic() - began
            if waited >= next_:
                since = f" ({waited / 60:.0f} min so far)" if next_ else ""
                say(f"waiting for a node{since}: {problem}")
                next_ += SAY_S
            time.sleep(LOOK_S)
            nodes = engine.nodes()
