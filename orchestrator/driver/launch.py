"""Launches a sweep: from a checked spec to finished records. `sweep launch` and ``orchestrator.run`` share it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cluster.engine import Engine
from orchestrator import steady_clock
from orchestrator.analysis.earlier.reusable import offered_trainings, reusable_trainings
from orchestrator.analysis.earlier.saved import save_earlier
from orchestrator.analysis.earlier.take import take_earlier
from orchestrator.core import events
from orchestrator.driver.preflight import check_nodes, check_trainable
from orchestrator.driver.session import ObserverFactory, Session
from orchestrator.driver.signals import GRACE_S
from orchestrator.driver.wait_for_node import wait_for_node
from orchestrator.records.paths import SweepPaths, claim
from orchestrator.sites.describe import describe
from orchestrator.sites.needs import needs_of
from orchestrator.sites.placement import free_slots, reached_for
from orchestrator.spec.source import Source


def launch(
    source: Source,
    *,
    results: Path,
    engine: Engine,
    observer: ObserverFactory | None = None,
    wait: Callable[[str], object] | None = None,
    grace_s: float = GRACE_S,
    reuse: bool = False,
) -> SweepPaths:
    """Run a sweep to its end.

    Args:
        source: The checked spec.
        results: The results directory; the new sweep gets a directory of its own in it.
        engine: Where the trials run.
        observer: Creates the observer of the session; None: no observer.
        wait: If no trial fits, wait until one does, and tell this what for; None: that is an error.
        grace_s: How long a signal to stop waits for the next reports of running trials, in seconds.
        reuse: Take over what earlier sweeps in ``results`` have trained with the same code, data, values and seed.

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
    with reached_for(engine, source.spec) as remarks:
        check_trainable(source)
        if wait is not None:
            wait_for_node(engine, source.spec, wait)
        nodes = engine.nodes()
        free_slots(source.spec, nodes)
        check_nodes(engine, nodes, needs_of(source.spec, nodes), results)
        taken = take_earlier(source, results)
        reusable = reusable_trainings(source, results) if reuse else offered_trainings(source, results, taken.earlier)
        paths = claim(results, source.name)
        with Session.open(
            source,
            paths,
            engine,
            observer,
            earlier=taken.earlier,
            trainings=reusable.trainings,
            grace_s=grace_s,
        ) as session:
            describe(source, paths, engine.name)
            save_earlier(paths, taken.earlier)
            for note in (*remarks, *taken.notes, *reusable.notes):
                session.sweep.on(events.Noted(at=steady_clock.now(), text=note))
            session.run()
        return session.result()
