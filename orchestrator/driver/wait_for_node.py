"""Waits until a cluster that grows has room for one trial, and says what for."""

from __future__ import annotations

import time
from collections.abc import Callable

from cluster.engine import Engine
from cluster.existing.demand import wanted
from cluster.fit import lacking
from orchestrator.sites.placement import need_of
from orchestrator.spec import Spec

LOOK_S = 2.0
"""Seconds between two looks at the nodes."""

SAY_S = 60.0
"""Seconds after which it is said again."""


def wait_for_node(engine: Engine, spec: Spec, say: Callable[[str], object]) -> None:
    """Return once one trial fits on some node of an engine that has been reached."""
    nodes = engine.nodes()
    if not lacking(nodes, need_of(spec, nodes)):
        return
    began, next_ = time.monotonic(), 0.0
    with wanted(need_of(spec, nodes).bundle()):
        while problem := lacking(nodes, need_of(spec, nodes)):
            waited = time.monotonic() - began
            if waited >= next_:
                since = f", for {waited / 60:.0f} min now" if next_ else ""
                say(f"waiting for a node{since}: {problem}")
                next_ += SAY_S
            time.sleep(LOOK_S)
            nodes = engine.nodes()
