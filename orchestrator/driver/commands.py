"""Turns signals and the requests of other processes into events of the running sweep."""

from __future__ import annotations

import time

from orchestrator.control.requests import Request, take
from orchestrator.core import events
from orchestrator.driver.signals import Signals
from orchestrator.records.paths import SweepPaths

LOOK_S = 0.5
"""Seconds between two reads of the requests."""


class Commands:
    """Signals and requests. The driver polls them.

    Attributes:
        asked_to_end: Whether somebody asked the sweep to end, so that an early end is not a failure.
        concurrency: How many trials may run at once; None: as many as fit.
    """

    def __init__(self, paths: SweepPaths, signals: Signals, concurrency: int | None) -> None:
        take(paths.requests)  # requests to an earlier driver are void
        self.asked_to_end = False
        self.concurrency = concurrency
        self._paths = paths
        self._signals = signals
        self._next = 0.0

    def poll(self, at: float) -> list[events.Event]:
        """The events since the last call.

        Raises:
            OSError: A request cannot be read or removed.
        """
        if self._signals.reason is not None:
            self.asked_to_end = not self._signals.interrupted
            kind = events.Halted if self._signals.interrupted else events.StopAfterNextReport
            return [kind(at=at, reason=self._signals.reason)]
        if time.monotonic() < self._next:
            return []
        self._next = time.monotonic() + LOOK_S
        return [self._event(request, at) for request in take(self._paths.requests)]

    def _event(self, request: Request, at: float) -> events.Event:
        if request.kind == "dismiss" and request.trial is not None:
            return events.TrialStopRequested(trial=request.trial, at=at, reason=f"ended by {request.by}")
        if request.kind == "add" and request.config is not None:
            return events.ConfigAdded(at=at, config=request.config, by=request.by)
        if request.kind == "concurrency" and request.concurrency is not None:
            self.concurrency = request.concurrency
            return events.Noted(
                at=at, text=f"at most {request.concurrency} trials at once from now on, by {request.by}"
            )
        self.asked_to_end = True
        kind = events.Halted if request.kind == "halt" else events.StopAfterNextReport
        return kind(at=at, reason=f"stopped by {request.by}")
