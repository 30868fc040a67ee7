"""Ray embedded in this process: it lives and ends with us."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from cluster.gpus import count
from cluster.inventory import this_machine
from cluster.local.reaper import reap, reaped
from cluster.local.settings import settle
from cluster.local.watch import LastWords, vital_process_ended, watched
from cluster.ray_private.apart import apart
from cluster.ray_private.lean import lean
from cluster.ray_private.loopback import on_loopback


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
    settle()
    import ray

    node = this_machine(cpus=cpus, gpus=gpus)
    with reaped() as reaper:
        with apart(), lean(), on_loopback(), _environment(count.gpus().settings if node.gpus else {}):
            context = ray.init(
                address="local",  # a stale file of an earlier run would make a plain init() join a dead cluster
                num_cpus=int(node.cpus),
                num_gpus=int(node.gpus),
                _memory=int(node.memory),  # what was counted on; left alone, Ray keeps a part of it back
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        session = str(context.address_info["session_dir"])
        reaper.watch(session)
        try:
            with watched(vital_process_ended(), stuck=stuck):
                yield
        finally:
            _shutdown(session)


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


def _shutdown(session: str) -> None:
    """Disconnect, then kill Ray's processes: the SIGTERM with which Ray would end each of them does not reach them."""
    import ray
    from ray._private.worker import global_worker

    def kill() -> None:
        while hasattr(global_worker, "core_worker"):  # it says goodbye to the GCS, and waits 5 s for one that is gone
            time.sleep(0.01)
        reap("", session)

    killer = threading.Thread(target=kill, name="ends Ray", daemon=True)
    killer.start()
    ray.shutdown()
    killer.join()
