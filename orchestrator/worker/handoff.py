"""Passes reports from the thread that trains to the driver, and the driver's decisions back to that thread.

The thread waits only where a decision is due, inside ``trial.report``, until it is told to continue or to end; every
other report goes into a list and costs microseconds. While the driver does not collect, because it cannot write the
records, each report waits: nothing trains for long without being recorded.
"""

from __future__ import annotations

import threading
import time

from orchestrator.worker.messages import AttemptEnd
from trainables.report import Report
from trainables.trial import TrialEnded

UNCOLLECTED_S = 10.0
"""Seconds for which reports accumulate while the driver does not collect them; at least 10 heartbeats.

A driver with a slow search or disk is back by then; if the driver died instead, little is lost."""


class Handoff:
    """Connects one attempt and the driver. The driver calls ``take`` and ``end``; the trial's threads call the rest.

    Attributes:
        ended: How the attempt ended; None while it runs, or if it was told to end.
        judged: Whether the attempt was ended at a report that the driver had received.
        collected_at: When the driver collected last, by the monotonic clock.
        waited_s: Seconds spent waiting for decisions.
        longest_s: The longest time between two activities of the trial, in seconds.
    """

    def __init__(self, *, heartbeat_s: float) -> None:
        """Begin without reports.

        Args:
            heartbeat_s: The longest that ``take`` waits.
        """
        self.ended: AttemptEnd | None = None
        self.judged = False
        self.collected_at = time.monotonic()
        self.waited_s = 0.0
        self.longest_s = 0.0
        self._active_at = self.collected_at
        self._heartbeat_s = heartbeat_s
        self._patience_s = max(UNCOLLECTED_S, 10 * heartbeat_s)
        self._changed = threading.Condition()
        self._reports: list[Report] = []
        self._waiting = False  # the thread waits for a decision
        self._handed = False  # the driver has the report at which the thread waits
        self._ending = False

    def take(self) -> tuple[list[Report], AttemptEnd | None]:
        """Reports since the last call, and how the attempt ended if it did.

        Another call means that the trial continues: a thread that waits at a report that the driver has received
        continues. Returns when a decision is due, when the attempt has ended, or after a heartbeat.
        """
        with self._changed:
            self.collected_at = time.monotonic()
            if self._waiting and self._handed:
                self._waiting = self._handed = False
                self._active_at = self.collected_at
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self.ended, timeout=self._heartbeat_s)
            reports, self._reports = self._reports, []
            self._handed = self._waiting
            return reports, self.ended

    def end(self) -> None:
        """Tell the thread to end at its next report, or at the report at which it waits."""
        with self._changed:
            self._ending = True
            self.judged = self._waiting and self._handed
            self._changed.notify_all()

    def put(self, report: Report, *, since: float, due: bool) -> None:
        """Add a report to what the driver collects, and wait if a decision is due.

        Args:
            report: The new report.
            since: When the call of ``trial.report`` began, by the monotonic clock: waiting counts from then on, and
                is not training.
            due: Whether a decision is due.

        Raises:
            TrialEnded: The trial is to end here.
        """
        with self._changed:
            if self._ending:
                raise TrialEnded
            if self._reports and self._reports[-1].step == report.step:
                report = self._reports.pop().joined(report)
            self._reports.append(report)
            if not due and since - self.collected_at < self._patience_s:
                return
            self._waiting = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._waiting or self._ending)
            self._active_at = time.monotonic()
            self.waited_s += self._active_at - since
            if self._ending:
                raise TrialEnded

    @property
    def ending(self) -> bool:
        """Whether the trial is to end at its next report."""
        return self._ending

    def touch(self) -> float:
        """Note that the trial is alive; returns the time, by the monotonic clock."""
        now = time.monotonic()
        self.longest_s = max(self.longest_s, now - self._active_at)
        self._active_at = now
        return now

    def silent_s(self) -> float:
        """Seconds since the last activity of the trial; 0 while it waits for the driver."""
        with self._changed:
            return 0.0 if self._waiting else time.monotonic() - self._active_at

    def close(self, ended: AttemptEnd | None) -> None:
        """Record how the trainable ended; None if it was told to end."""
        with self._changed:
            self.ended = self.ended or ended
            self._changed.notify_all()

    def give_up(self, ended: AttemptEnd) -> bool:
        """End a silent attempt; False if the attempt has ended or waits for the driver by now."""
        with self._changed:
            if self._waiting or self.ended is not None:
                return False
            self.ended = ended
            self._ending = True
            self._changed.notify_all()
            return True
