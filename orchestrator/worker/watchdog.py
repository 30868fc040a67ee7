"""Notices that a trial is silent, in the worker itself: whether the driver asks for it or not.

Two watch. A thread of Python's looks every second, and can end the trial in order. It cannot look while C code keeps
the interpreter to itself, as a regular expression that backtracks for hours does; so each look also sets a timer of
``faulthandler``, which needs no interpreter: it writes the stacks to the trial's log and ends the process.
"""

from __future__ import annotations

import faulthandler
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_S = 1.0
GRACE_S = 5.0
"""How much later than the thread the timer goes off: the thread's way loses no report, so it gets to be first."""


@contextmanager
def watched(limit_s: float, log: int, silence: Callable[[], float], timed_out: Callable[[], object]) -> Iterator[None]:
    """While this is open, a silence beyond the limit is noticed. A process has one such timer: one trial at a time.

    Args:
        limit_s: Seconds.
        log: Descriptor for what the timer writes.
        silence: For how many seconds the trial has been silent.
        timed_out: Called once, when that is beyond the limit.
    """
    over = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(limit_s, log, silence, timed_out, over), name="watchdog", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        faulthandler.cancel_dump_traceback_later()


def _watch(
    limit_s: float, log: int, silence: Callable[[], float], timed_out: Callable[[], object], over: threading.Event
) -> None:
    while (silent := silence()) <= limit_s:
        faulthandler.dump_traceback_later(limit_s - silent + GRACE_S, exit=True, file=log)
        if over.wait(min(LOOK_S, limit_s / 4)):
            return
    faulthandler.cancel_dump_traceback_later()  # the driver ends the process when it has heard why
    timed_out()
