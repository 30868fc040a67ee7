"""Notices that an embedded Ray has ended under its driver, and gets the driver out of it.

Ray does not tell: its workers seem to crash one by one, their trials to fail, and after a minute the driver is ended
from within, with what it had yet to record. That is what follows when the kernel kills a raylet for want of memory.
So a thread looks whether Ray's two vital processes live. A driver that waits for an answer of a GCS that is gone
cannot be reached even so: it dies as before, and a resume goes on.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import psutil

LOOK_S = 0.2
"""Seconds between two looks."""

VITAL = ("gcs_server", "raylet")
"""The children without which a driver cannot go on, as the system names them."""

KNOCK = signal.SIGURG
"""Wakes the main thread out of Ray's waiting. Whoever is not told of it ignores it."""


class RayEndedError(Exception):
    """The embedded Ray is gone: nothing more can be started or heard of."""


@contextmanager
def watched() -> Iterator[None]:
    """Leave with RayEndedError, from wherever the main thread is, once Ray has ended; elsewhere nothing is watched.

    Raises:
        RayEndedError: One of Ray's vital processes has ended.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    named = [(child.name(), child) for child in psutil.Process().children() if child.name() in VITAL]
    ended: list[str] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_S):
            ended.extend(name for name, child in named if not _lives(child))
            if ended:
                signal.pthread_kill(threading.main_thread().ident or 0, KNOCK)
                return

    def leave(number: int, frame: FrameType | None) -> None:
        if ended and not done.is_set():
            done.set()
            raise KeyboardInterrupt  # the only one that Ray lets through as it is

    before = signal.signal(KNOCK, leave)
    thread = threading.Thread(target=look, name="watches Ray", daemon=True)
    thread.start()
    try:
        yield
    except BaseException as error:
        if ended:
            raise RayEndedError(f"Ray's {ended[0]} has ended") from error
        raise
    finally:
        done.set()
        thread.join()
        signal.signal(KNOCK, before)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
