"""Notices that Ray has ended under its driver, and interrupts the driver.

Ray does not say so: workers seem to crash one by one, trials seem to fail, and after a minute Ray ends the driver,
together with what the driver had yet to record. That happens when the kernel kills a raylet for want of memory, or when
a cluster's head goes away. So a thread checks whether Ray's vital processes live. A driver that is waiting for a head
that is gone cannot be interrupted: then the thread speaks the last words in its place, and ends the process.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

import psutil

from cluster.ray_private.daemons import vital_daemons

LOOK_S = 0.2
"""Seconds between two checks."""

KNOCK_S = 2.0
"""Seconds in which a remote place has to answer."""

STUCK_S = 5.0
"""Seconds in which the main thread has to react."""

WAKE = signal.SIGURG
"""Interrupts the main thread while it waits for Ray. By default a process ignores this signal."""


class RayEndedError(Exception):
    """Ray has ended: nothing more can be started, and no result will come."""


Look = Callable[[], str]
"""Says what has ended, in words; "" while everything lives."""


LastWords = Callable[[str], object]
"""Says the last words of a process, given why it ends."""


def vital_process_ended() -> Look:
    """Checks the children of this process that an embedded Ray cannot run without."""
    named = vital_daemons()
    return lambda: next((f"Ray's {name} has ended" for name, child in named if not _lives(child)), "")


def stopped_answering(places: Mapping[str, str], *, patience_s: float) -> Look:
    """Checks over the network whether something listens at each of these places.

    Args:
        places: By what is there, in words, its host:port.
        patience_s: Seconds for which a place may not answer: a head may be restarted.
    """
    heard = dict.fromkeys(places, time.monotonic())

    def look() -> str:
        for name, place in places.items():
            try:
                knock(place, KNOCK_S)
            except OSError:
                if time.monotonic() - heard[name] > patience_s:
                    return f"{name} at {place} has not answered for {patience_s:g} s"
            else:
                heard[name] = time.monotonic()
        return ""

    return look


def knock(place: str, patience_s: float) -> None:
    """Connect to a host:port, and disconnect at once.

    Raises:
        OSError: Nothing listens there, or it cannot be reached in time.
        ValueError: The place is not a host:port.
    """
    host, _, port = place.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=patience_s).close()


@contextmanager
def watched(look: Look, *, every_s: float = LOOK_S, stuck: LastWords | None = None) -> Iterator[None]:
    """Raise RayEndedError in the main thread, wherever it is, once Ray has ended. In other threads, do nothing.

    Args:
        look: The check, called in a thread of its own.
        every_s: Seconds between two checks.
        stuck: Called in that thread, with what has ended, if the main thread does not react; then the process ends.

    Raises:
        RayEndedError: One of Ray's vital processes has ended.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ended: list[str] = []
    done = threading.Event()

    def keep_looking() -> None:
        while not done.wait(every_s):
            if what := look():
                ended.append(what)
                signal.pthread_kill(threading.main_thread().ident or 0, WAKE)
                if stuck is not None and not done.wait(STUCK_S):
                    stuck(what)
                    os._exit(1)
                return

    def leave(number: int, frame: FrameType | None) -> None:
        if ended and not done.is_set():
            done.set()
            raise KeyboardInterrupt  # the only exception that Ray passes on unchanged

    before = signal.signal(WAKE, leave)
    thread = threading.Thread(target=keep_looking, name="watches Ray", daemon=True)
    thread.start()
    try:
        yield
    except BaseException as error:
        if ended:
            raise RayEndedError(ended[0]) from error
        raise
    finally:
        done.set()
        thread.join()
        signal.signal(WAKE, before)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
