"""Keeps SIGTERM from the processes of an embedded Ray: its driver takes it as a stop in order, for which it needs them.

`timeout` sends SIGTERM to the driver's whole process group, systemd and Slurm to every process of the job, and Ray's
would end at once; a driver without its GCS hangs for a minute and dies. Ray shields its processes from SIGINT where it
starts them, and has no setting for this: so what is forked there begins in a session of its own, with SIGTERM blocked.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType

_starting: set[int] = set()
"""The threads that start Ray right now."""


@contextmanager
def apart() -> Iterator[None]:
    """What this thread forks while this is open gets a session of its own, and no SIGTERM.

    Only forks that come back to Python count, as those for a ``preexec_fn``, with which Ray (2.60) starts each of its
    processes.
    """
    _registered()
    _starting.add(threading.get_ident())
    try:
        yield
    finally:
        _starting.discard(threading.get_ident())


@cache
def _registered() -> None:
    """Once a process: what is registered cannot be taken back."""
    os.register_at_fork(after_in_child=_leave)


def _leave() -> None:
    if threading.get_ident() in _starting:
        _starting.clear()
        os.setsid()
        _block()


def ignore_sigterm() -> None:
    """In a worker, before it trains: SIGTERM does nothing to it, and ends what its trials start, as it should.

    The block would be inherited by the trials' own processes, which could not be terminated; a handler is not.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _nothing)
        os.register_at_fork(before=_block, after_in_parent=_unblock, after_in_child=_hear)
        _unblock()


def _nothing(number: int, frame: FrameType | None) -> None:
    """The driver is told, too, and ends the trials in order."""


def _block() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _hear() -> None:
    """In a child: what was sent since it began has waited, and takes effect now."""
    if signal.getsignal(signal.SIGTERM) is _nothing:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _unblock()
