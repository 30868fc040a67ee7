"""Holds a sweep's lease without driving it: meanwhile nobody can run it, and others see that we live."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestrator.control.lease import BEAT_SECONDS, Lease
from orchestrator.errors import RecordsError
from orchestrator.records.paths import SweepPaths


@contextmanager
def held(paths: SweepPaths, waiting: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Hold the lease, and beat, however long it takes. The paths must be absolute if the working directory changes.

    Yields what raises a LeaseLostError if another driver has taken the sweep over nevertheless, as while this machine
    was asleep: call it before anything is written.

    Args:
        paths: The sweep's files.
        waiting: Is told, in a sentence, what is being waited for.

    Raises:
        LeaseHeldError: The sweep runs.
        RecordsError: The lease cannot be written.
    """
    done, trouble = threading.Event(), list[RecordsError]()

    def beat() -> None:
        try:
            while not done.wait(BEAT_SECONDS):
                lease.beat()
        except RecordsError as error:
            trouble.append(error)

    def check() -> None:
        if trouble:
            raise trouble[0]

    with Lease.acquire(paths.lease, waiting=waiting) as lease:
        beating = threading.Thread(target=beat, name="lease", daemon=True)
        beating.start()
        try:
            yield check
        finally:
            done.set()
            beating.join()
