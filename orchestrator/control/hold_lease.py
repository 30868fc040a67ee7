"""Holds a sweep's lease for work on its files, so that no driver can run the sweep in the meantime."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestrator.control.lease import BEAT_SECONDS, Lease
from orchestrator.errors import RecordsError
from orchestrator.records.paths import SweepPaths, refuse_links


@contextmanager
def hold_lease(paths: SweepPaths, waiting: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Hold the lease while the with block runs. The paths must be absolute if the working directory changes.

    Yields a function that raises LeaseLostError if a driver has taken over the sweep after all, for example while this
    machine was suspended. Call it before writing anything.

    Args:
        paths: The sweep's files.
        waiting: Called with a sentence that says what is being waited for.

    Raises:
        LeaseHeldError: The sweep is running.
        RecordsError: The lease cannot be written, or a symbolic link leads out of the sweep's directory.
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

    refuse_links(paths)
    with Lease.acquire(paths.lease, waiting=waiting) as lease:
        beating = threading.Thread(target=beat, name="lease", daemon=True)
        beating.start()
        try:
            yield check
        finally:
            done.set()
            beating.join()
