"""Notices that Ray has ended under its driver, and gets the driver out of it.

Ray does not tell: its workers seem to crash one by one, their trials to fail, and after a minute the driver is ended
from within, with what it had yet to record. That is what follows when the kernel kills a raylet for want of memory, or
when a cluster's head goes away. So a thread looks whether Ray's vital processes live. A driver that waits for an answer
of a head that is gone cannot be reached: then the thread says the last words in its place, and ends the process.
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
"""Seconds between two looks."""

KNOCK_S = 2.0
"""Seconds in which something far away has to answer."""

STUCK_S = 5.0
"""Seconds in which the main thread has to notice."""

WAKE = signal.SIGURG
"""Wakes the main thread out of Ray's waiting. Whoever is not told of it ignores it."""


class RayEndedError(Exception):
    """Ray is gone: nothing more can be started or heard of."""


Look = Callable[[], str]
"""What has ended, in words; "" while all lives."""


LastWords = Callable[[str], object]
"""Says what is to be said before a process ends, given why it does."""


def vital_process_ended() -> Look:
    """Looks after the children of this process that an embedded Ray cannot do without."""
    named = vital_daemons()
    return lambda: next((f"Ray's {name} has ended" for name, child in named if not _lives(child)), "")


def stopped_answering(places: Mapping[str, str], *, patience_s: float) -> Look:
    """Looks from afar whether something listens at each of the places.

    Args:
        places: What is there, in words, and its host:port.
        patience_s: For so long it may be away: a head may be started anew.
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
    """Connect to a host:port, and leave at once.

    Raises:
        OSError: Nothing listens there, or it cannot be reached in time.
        ValueError: That is no host:port.
    """
    host, _, port = place.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=patience_s).close()


@contextmanager
def watched(look: Look, *, every_s: float = LOOK_S, stuck: LastWords | None = None) -> Iterator[None]:
    """Leave with RayEndedError, from wherever the main thread is, once Ray has ended; elsewhere nothing is watched.

    Args:
        look: Called in a thread of its own.
        every_s: Seconds between two looks.
        stuck: Called in the thread, with what has ended, if the main thread does not leave; the process ends then.

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
            raise KeyboardInterrupt  # the only one that Ray lets through as it is

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
