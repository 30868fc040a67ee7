"""Turns signals and the requests of other processes into events of the running sweep."""

from __future__ import annotations

import time

from orchestrator.control.requests import Refused, Request, take
from orchestrator.core import events
from orchestrator.core.rows import Config
from orchestrator.driver.signals import GRACE_S, Signals
from orchestrator.expressions.expression import EvaluationError
from orchestrator.records.paths import SweepPaths
from orchestrator.space.space import Space
from orchestrator.spec.nested_names import flat

LOOK_S = 0.5
"""Seconds between two reads of the requests."""


class Commands:
    """Signals and requests. The driver polls them.

    Attributes:
        asked_to_end: Whether somebody asked the sweep to end, so that an early end is not a failure.
        concurrency: How many trials may run at once; None: as many as fit.
        grace_s: How long a sweep that was asked to end waits for reports, in seconds; None: as long as it takes.
    """

    def __init__(
        self,
        paths: SweepPaths,
        signals: Signals,
        concurrency: int | None,
        space: Space,
        *,
        grace_s: float = GRACE_S,
    ) -> None:
        self.grace_s: float | None = None
        self._signal_grace_s = grace_s
        self._signalled_at: float | None = None
        self.asked_to_end = False
        self.concurrency = concurrency
        self._paths = paths
        self._signals = signals
        self._space = space
        self._next = 0.0
        self._trouble = ""
        self._take()  # requests to an earlier driver are void

    def poll(self, at: float) -> list[events.Event]:
        """The events since the last call."""
        if self._signals.reason is not None:
            return [self._signalled(at, self._signals.reason)]
        if time.monotonic() < self._next:
            return []
        self._next = time.monotonic() + LOOK_S
        return [self._event(each, at) for each in self._take()]

    def _signalled(self, at: float, reason: str) -> events.Event:
        if self._signals.interrupted:
            return events.Halted(at=at, reason=reason)
        self.asked_to_end = True
        self.grace_s = self._signal_grace_s
        if self._signalled_at is None:
            self._signalled_at = time.monotonic()
        if time.monotonic() - self._signalled_at < self.grace_s:
            return events.StopAfterNextReport(at=at, reason=reason)
        return events.Halted(at=at, reason=f"{reason}, without a report for {self.grace_s:g} s")

    def _take(self) -> list[Request | Refused]:
        """The requests since the last call. A directory that cannot be read is told of once."""
        try:
            taken = list(take(self._paths.requests))
        except OSError as error:
            trouble = f"requests of other terminals cannot be read: {error.strerror or error}"
            new, self._trouble = trouble != self._trouble, trouble
            return [Refused(name=self._paths.requests.name, why=trouble)] if new else []
        self._trouble = ""
        return taken

    def _event(self, request: Request | Refused, at: float) -> events.Event:
        if isinstance(request, Refused):
            return events.Noted(at=at, text=f"set aside {self._paths.requests.name}/{request.name}: {request.why}")
        by = request.by[:200]
        if request.kind == "dismiss" and request.trial is not None:
            return events.TrialStopRequested(trial=request.trial, at=at, reason=f"ended by {by}")
        if request.kind == "add" and request.config is not None:
            config = flat(request.config, self._space.parameters)
            if (problem := self._problem(config)) is not None:
                return events.Noted(at=at, text=f"ignored a configuration added by {by}: {problem}")
            return events.ConfigAdded(at=at, config=self._space.canonical(config), by=by)
        if request.kind == "concurrency" and request.concurrency is not None:
            self.concurrency = request.concurrency
            return events.Noted(at=at, text=f"at most {request.concurrency} trials at once from now on, by {by}")
        self.asked_to_end = True
        kind = events.Halted if request.kind == "halt" else events.StopAfterNextReport
        return kind(at=at, reason=f"stopped by {by}")

    def _problem(self, config: Config) -> str | None:
        """Why a configuration is not one of the space; None if it is."""
        try:
            return next((problem for _, problem, _ in self._space.mistakes_in(config)), None)
        except EvaluationError as error:
            return error.problem
