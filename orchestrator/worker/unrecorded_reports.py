"""The newest reports of a trial, which the driver may not have recorded yet. Checkpoints carry them along.

See :class:`trainables.checkpoints.saving.ReportLedger`: a checkpoint may be a second newer than the records. Without
these reports, that second would be missing from the records for good if the driver or the worker were killed just then.
"""

from __future__ import annotations

import threading
from collections import deque

from trainables.checkpoints.snapshot import CarriedReports
from trainables.report import Report

RECORDED_S = 30.0
"""Seconds after which a report counts as recorded, if the driver has collected reports since.

A report reaches the driver within a heartbeat, and a driver that cannot write does not collect. If a disk is slower
still, :meth:`UnrecordedReports.incomplete` notices, and the trial restarts from an older checkpoint."""

MOST = 10_000
"""Reports kept at most: a trial that reports thousands of times a second would fill its checkpoints with them."""


class UnrecordedReports:
    """The reports of one attempt. Used by the thread that trains and by the thread that writes checkpoints."""

    def __init__(self, *, recorded: int | None) -> None:
        """Begin without reports; the driver has recorded all up to the step ``recorded``."""
        self._lock = threading.Lock()
        self._recorded = recorded
        self._reports: deque[tuple[float, Report]] = deque()

    def add(self, report: Report, now: float, collected_at: float) -> None:
        """Keep a report, and drop those that are recorded by now.

        Args:
            report: The new report.
            now: Seconds, by the clock of ``collected_at``.
            collected_at: When the driver collected last.
        """
        with self._lock:
            self._reports.append((now, report))
            while self._reports[0][0] < collected_at - RECORDED_S or len(self._reports) > MOST:
                self._recorded = self._reports.popleft()[1].step

    def upto(self, step: int) -> CarriedReports:
        """The reports up to a step."""
        with self._lock:
            reports = tuple(report for _, report in self._reports if report.step <= step)
            return CarriedReports(recorded=self._recorded, reports=reports)

    @staticmethod
    def incomplete(carried: CarriedReports, recorded: int | None) -> bool:
        """Whether reports are missing between what the driver has recorded and what a checkpoint carries."""
        return carried.recorded is not None and (recorded is None or recorded < carried.recorded)
