"""Ray embedded in this process: it lives and ends with us."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from cluster.gpus import count
from cluster.inventory import this_machine
from cluster.local.reaper import reap, reaped
from cluster.local.watch import LastWords, vital_process_ended, watched
from cluster.ray_private.daemons import session_pattern
from cluster.ray_private.embedded_ray import all_memory, shut_down
from cluster.ray_private.environment import set_for_ray
from cluster.ray_private.loopback_only import loopback_only
from cluster.ray_private.minimal_daemons import minimal_daemons
from cluster.ray_private.sigterm_isolation import sigterm_isolation


@contextmanager
def embedded(*, cpus: float | None = None, gpus: float | None = None, stuck: LastWords | None = None) -> Iterator[None]:
    """Start a Ray cluster of one node in this process, and end it afterwards.

    Args:
        cpus: How many the node has; None: all that this process may use.
        gpus: How many the node has (on a machine without, they are pretended: only placement sees them); None: all.
        stuck: As for ``watch.watched``.

    Raises:
        RayEndedError: Ray ended, or was ended, while this was open.
    """
    set_for_ray()
    import ray

    node = this_machine(cpus=cpus, gpus=gpus)
    with reaped(*session_pattern(os.getpid())) as reaper:
        settings = count.gpus().settings if node.gpus else {}
        with sigterm_isolation(), minimal_daemons(), loopback_only(), _environment(settings):
            context = ray.init(
                address="local",  # a stale file of an earlier run would make a plain init() join a dead cluster
                num_cpus=int(node.cpus),
                num_gpus=int(node.gpus),
                **all_memory(node.memory),  # a plan counts on all of it
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        session = str(context.address_info.get("session_dir", ""))
        reaper.watch(session)
        try:
            with watched(vital_process_ended(), stuck=stuck):
                yield
        finally:
            shut_down(lambda: reap("", session))  # SIGTERM, with which Ray would end its processes, is kept from them


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Ray's processes that start while this is open inherit these variables, and so do the workers."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
