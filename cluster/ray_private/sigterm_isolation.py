"""Keeps SIGTERM from the processes of an embedded Ray: its driver stops in order on SIGTERM, and needs them to do so.

`timeout` sends SIGTERM to the driver's whole process group, systemd and Slurm send it to every process of the job.
Ray's processes would end at once, and a driver without its GCS hangs for a minute and dies. Ray shields its processes
from SIGINT when it starts them, and has no setting for SIGTERM: so each gets a session of its own, SIGTERM blocked.

No name of Ray is used for this. A Ray that started its processes in another way would lose the isolation and nothing
else; tests/cluster/test_sigterm_isolation.py would tell.
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
"""The threads that are starting Ray."""


@contextmanager
def sigterm_isolation() -> Iterator[None]:
    """Processes that this thread forks while this is open get a session of their own, with SIGTERM blocked.

    This covers forks that run Python code in the child, as for a ``preexec_fn``, with which Ray (2.60) starts each of
    its processes.
    """
    _register()
    _starting.add(threading.get_ident())
    try:
        yield
    finally:
        _starting.discard(threading.get_ident())


@cache
def _register() -> None:
    """Once in a process: a function registered for forks cannot be removed."""
    os.register_at_fork(after_in_child=_isolate)


def _isolate() -> None:
    if threading.get_ident() in _starting:
        _starting.clear()
        os.setsid()
        _block()


def ignore_sigterm() -> None:
    """In a worker, before its first trial: SIGTERM no longer ends the worker, but still ends what its trials start.

    A handler serves instead of the block: processes that trials start would inherit the block, and could not be
    terminated.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _nothing)
        os.register_at_fork(before=_block, after_in_parent=_unblock, after_in_child=_restore)
        _unblock()


def _nothing(number: int, frame: FrameType | None) -> None:
    """The driver gets the same signal, and ends the trials in order."""


def _block() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _restore() -> None:
    """In a child: a SIGTERM that was sent since the fork has been pending, and takes effect now."""
    if signal.getsignal(signal.SIGTERM) is _nothing:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _unblock()
