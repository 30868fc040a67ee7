"""Imports the trainable while Ray starts: a warm parent on this machine, from which workers get theirs."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from cluster.engine import Embedded, Engine
from cluster.local.scratch import scratch
from orchestrator.worker.fork import warm_parent
from orchestrator.worker.messages import WorkerSettings


@contextmanager
def warmed_up(settings: WorkerSettings, engine: Engine) -> Iterator[WorkerSettings]:
    """While this is open, workers on this machine get their warm parents from one; yields the settings that say where.

    Only for a Ray embedded in this process: on a cluster the driver's machine may have no worker at all.
    """
    if settings.isolation != "fork" or not isinstance(engine, Embedded):
        yield settings
        return
    with scratch() as directory:
        warmed = replace(settings, warmed=str(directory.path / "parent"))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(warmed.warmed)
            listener.listen()  # a worker that comes before the imports are done waits
            connection, process = warm_parent.start(settings, listener=listener, quiet=True)
        try:
            yield warmed
        finally:
            connection.close()
            process.kill()  # what it has forked ends with it
            process.wait()
