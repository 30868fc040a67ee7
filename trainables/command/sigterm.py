"""Notices a SIGTERM to this process, as batch systems send it to every process of a job, the programs included."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

ALL_S = 1.0
"""Seconds in which all processes of a job get the signal."""
STOP_S = 90.0
"""Seconds in which the sweep, which gets the signal as well, ends the trial."""
TURN_S = 0.1


class Sigterm:
    """Whether this process has been sent SIGTERM while the context is open.

    It notices in the main thread of a process that goes on when it gets the signal, as that of a trial does; elsewhere
    never.
    """

    def __init__(self) -> None:
        self._sent = threading.Event()
        self._before: Callable[[int, FrameType | None], object] | None = None

    def __enter__(self) -> Sigterm:
        handler = signal.getsignal(signal.SIGTERM)
        if callable(handler) and threading.current_thread() is threading.main_thread():
            self._before = handler
            signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)

    def explains(self, status: int) -> bool:
        """Whether the signal may be why a program has ended: it was sent, or is about to be.

        Args:
            status: The program's exit status, or minus the signal that ended it.
        """
        if self._before is not None and signal.SIGTERM in (-status, status - 128):
            self._sent.wait(ALL_S)
        return self._sent.is_set()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._sent.set()
        if self._before is not None:
            self._before(number, frame)
