"""Signals while a sweep runs: SIGINT interrupts it, SIGTERM and SIGHUP stop it in order, a second one ends it."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any

from cluster.local.watch import RayEndedError
from orchestrator.errors import StoppedSweepError, SweepError

GRACE_S = 5.0
"""Seconds that a signal to stop waits for the next reports of running trials. Containers are killed after 10 to 30."""

ECHO_S = 2.0
"""Within so many seconds, a further signal to stop is the same one: Slurm sends it to the job's shell, which passes it
on, and to every process. Ctrl-C is pressed by a person, and counts each time."""

CAUGHT = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Windows has no SIGHUP."""


class Signals:
    """Catches the signals while it is open, if it is opened in the main thread. One that is ignored stays so (`nohup`).

    Attributes:
        reason: Why the sweep is to end, once a signal has come; None before.
        interrupted: Whether the signal was SIGINT, which cancels running trials at once.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self.interrupted = False
        self._first_at = 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            for number in CAUGHT:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._receive)
        return self

    def catch_again(self) -> None:
        """Catch the signals again, because Ray installs its own handler of SIGTERM when it starts."""
        for number in self._before:
            signal.signal(number, self._receive)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Restore the handlers. That Ray has ended is no failure if the sweep was to end anyway."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if isinstance(error, SystemExit) and error.code == signal.SIGTERM:  # of Ray's own handler
            raise StoppedSweepError("stopped by SIGTERM while Ray was starting; continue with: sweep resume") from None
        if not isinstance(error, RayEndedError):
            return False
        if self.reason is None:
            raise SweepError(f"{error}; recorded results are kept, and `sweep resume` continues the sweep") from error
        return True

    def _receive(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.reason is not None:
            if number == signal.SIGINT or now - self._first_at > ECHO_S:
                raise KeyboardInterrupt
            return
        self._first_at = now
        self.interrupted = number == signal.SIGINT
        self.reason = f"{'interrupted' if self.interrupted else 'stopped'} by {signal.Signals(number).name}"
