"""The newest reports of a trial, which the driver may not have recorded yet. Checkpoints carry them along.

See :class:`trainables.checkpoints.saving.Ledger`: without them a checkpoint that is a second newer than the records
would leave the reports of that second out for ever, if the driver or the worker is killed just then.
"""

from __future__ import annotations

import threading
from collections import deque

from trainables.checkpoints.snapshot import Carried, Reports

RECORDED_S = 30.0
"""So long after it was there to be collected by a driver that still collects, a report is recorded: it crosses within a
heartbeat, and a driver that cannot write does not collect. Should a disk be slower still, :meth:`Tail.behind` finds out
when it matters, and the checkpoint is not gone on from."""

MOST = 10_000
"""More reports are not kept: a trial that reports thousands of times a second would fill its checkpoints with them."""


class UnrecordedReports:
    """Of one attempt. Used by the user's thread and by the one that writes checkpoints."""

    def __init__(self, *, recorded: int | None) -> None:
        """Nothing is reported yet; up to the step ``recorded`` the driver has it all."""
        self._lock = threading.Lock()
        self._before = recorded
        self._reports: deque[tuple[float, Carried]] = deque()

    def add(self, report: Carried, now: float, asked: float) -> None:
        """A report was made.

        Args:
            report: It, with the seconds of training over all attempts.
            now: Seconds, by the clock of ``asked``.
            asked: When the driver collected last.
        """
        with self._lock:
            self._reports.append((now, report))
            while self._reports[0][0] < asked - RECORDED_S or len(self._reports) > MOST:
                self._before = self._reports.popleft()[1].step

    def upto(self, step: int) -> Reports:
        """The reports up to a step."""
        with self._lock:
            carried = tuple(report for _, report in self._reports if report.step <= step)
            return Reports(before=self._before, carried=carried)

    @staticmethod
    def behind(reports: Reports, recorded: int | None) -> bool:
        """Whether reports are missing between what the driver has recorded and what a checkpoint carries."""
        return reports.before is not None and (recorded is None or recorded < reports.before)
