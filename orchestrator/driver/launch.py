"""Launches a sweep: from a checked spec to finished records. `sweep launch` and ``orchestrator.run`` share it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from cluster.engine import Engine
from orchestrator.analysis.earlier.saved import save_earlier
from orchestrator.analysis.earlier.take import take_earlier
from orchestrator.core import events
from orchestrator.driver.preflight import check_nodes, check_trainable
from orchestrator.driver.session import ObserverFactory, Session
from orchestrator.driver.wait_for_node import wait_for_node
from orchestrator.records.paths import SweepPaths, claim
from orchestrator.sites.describe import describe
from orchestrator.sites.placement import free_slots, need_of, reached
from orchestrator.spec.source import Source


def launch(
    source: Source,
    *,
    results: Path,
    engine: Engine,
    observer: ObserverFactory | None = None,
    wait: Callable[[str], object] | None = None,
) -> SweepPaths:
    """Run a sweep to its end.

    Args:
        source: The checked spec.
        results: The results directory; the new sweep gets a directory of its own in it.
        engine: Where the trials run.
        observer: Creates the observer of the session; None: no observer.
        wait: If no trial fits, wait until one does, and tell this what for; None: that is an error.

    Returns:
        The sweep's files.

    Raises:
        UserError: The engine cannot be reached, one trial fits on none of its nodes, or an earlier sweep to learn from
            does not exist; nothing was written.
        RecordsError: The records cannot be written.
        InterruptedSweepError: A signal ended the sweep; recorded results are kept.
        TrialsFailedError: Too many trials failed.
        NoResultError: No trial has a result.
    """
    with reached(engine):
        check_trainable(source)
        if wait is not None:
            wait_for_node(engine, source.spec, wait)
        nodes = engine.nodes()
        free_slots(source.spec, nodes)
        check_nodes(engine, nodes, need_of(source.spec, nodes), results)
        taken = take_earlier(source, results)
        paths = claim(results, source.name)
        with Session.open(source, paths, engine, observer, earlier=taken.earlier) as session:
            describe(source, paths, engine.name)
            save_earlier(paths, taken.earlier)
            for note in taken.notes:
                session.sweep.on(events.Noted(at=time.time(), text=note))
            session.run()
        return session.result()
