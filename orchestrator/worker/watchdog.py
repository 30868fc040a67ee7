"""Detects silent trials in the worker itself, independently of the driver.

There are two watchdogs. A Python thread checks every second, and can end the trial in order. The thread cannot run
while C code holds the interpreter's lock, such as a regular expression that backtracks for hours; so each check also
sets a timer of ``faulthandler``, which needs no lock: it writes the stacks to the trial's log and ends the process.
"""

from __future__ import annotations

import faulthandler
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_S = 1.0
GRACE_S = 5.0
"""Seconds by which the timer fires after the thread: the thread goes first, because it loses no reports."""


@contextmanager
def watched(limit_s: float, log: int, silence: Callable[[], float], timed_out: Callable[[], object]) -> Iterator[None]:
    """Watch a trial while the context is open. A process has one timer, so it can watch one trial at a time.

    Args:
        limit_s: The longest silence allowed, in seconds.
        log: The file descriptor to which the timer writes.
        silence: Returns for how many seconds the trial has been silent.
        timed_out: Called once, when the silence exceeds the limit.
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
