"""Where the thread of a trial and the driver meet: reports go one way, leave to proceed or to end the other.

The thread waits only where a decision is due, inside ``trial.report``, until it is told to proceed or to end; every
other report is put into a list and costs microseconds. Where the driver has not asked for a while, because it cannot
write the records, each report waits: nothing trains on for long unrecorded.
"""

from __future__ import annotations

import threading
import time

from orchestrator.core.events import Measurement
from orchestrator.worker.messages import AttemptEnd
from trainables.contract import TrialEnded

UNASKED_S = 10.0
"""For how long reports are collected though nobody asks for them; at least, and at least 10 heartbeats. A driver that
searches or writes slowly is back by then; what is still lost if it dies instead is as little as that."""


class Handoff:
    """Of one attempt. ``take`` and ``end`` are called for the driver, the rest by the threads of the trial."""

    def __init__(self, *, heartbeat_s: float) -> None:
        """Nothing is reported yet.

        Args:
            heartbeat_s: For how long ``take`` waits, and keeps what was reported.
        """
        self.ended: AttemptEnd | None = None
        self.judged = False  # it is ended at a report that was handed over: the driver wants no more of it
        self.asked = time.monotonic()  # when the driver collected last
        self.waited_s = 0.0  # for decisions
        self._heard = self.asked
        self._heartbeat_s = heartbeat_s
        self._patience_s = max(UNASKED_S, 10 * heartbeat_s)
        self._changed = threading.Condition()
        self._reports: list[Measurement] = []
        self._waiting = False  # the thread waits for a decision
        self._handed = False  # the report it waits for was handed over
        self._ending = False

    def take(self) -> tuple[list[Measurement], AttemptEnd | None]:
        """Reports since the last call, and how the trial ended if it did.

        Being asked again means that the trial goes on: a thread whose last report was handed over proceeds. Returns
        when a decision is due, when the trial ended, or after a heartbeat.
        """
        with self._changed:
            self.asked = time.monotonic()
            if self._waiting and self._handed:
                self._waiting = self._handed = False
                self._heard = self.asked
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self.ended, timeout=self._heartbeat_s)
            reports, self._reports = self._reports, []
            self._handed = self._waiting
            return reports, self.ended

    def end(self) -> None:
        """The thread is to end at its next report, or at the one at which it waits."""
        with self._changed:
            self._ending = True
            self.judged = self._waiting and self._handed
            self._changed.notify_all()

    def put(self, report: Measurement, *, since: float, due: bool) -> None:
        """Put a report where the driver collects it, and wait there if a decision is due.

        Args:
            report: It.
            since: When it was begun, by the monotonic clock: if it waits, that is no training from then on.
            due: A decision is.

        Raises:
            TrialEnded: The trial is to end here.
        """
        with self._changed:
            if self._ending:
                raise TrialEnded
            self._reports.append(report)
            if not due and since - self.asked < self._patience_s:
                return
            self._waiting = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._waiting or self._ending)
            self._heard = time.monotonic()
            self.waited_s += self._heard - since
            if self._ending:
                raise TrialEnded

    def sign(self) -> float:
        """The trial lives; returns the time, by the monotonic clock."""
        self._heard = time.monotonic()
        return self._heard

    def silent_s(self) -> float:
        """For how long the trial has given no sign; while it waits for the driver, it is not silent."""
        with self._changed:
            return 0.0 if self._waiting else time.monotonic() - self._heard

    def close(self, ended: AttemptEnd | None) -> None:
        """The trainable is through; None: it was told to end."""
        with self._changed:
            self.ended = self.ended or ended
            self._changed.notify_all()

    def give_up(self, ended: AttemptEnd) -> bool:
        """End a silent trial; False: it has ended, or waits for the driver, at the last moment."""
        with self._changed:
            if self._waiting or self.ended is not None:
                return False
            self.ended = ended
            self._ending = True
            self._changed.notify_all()
            return True
