"""The one writer of a sweep's records.

Rows are collected and written in rounds. Their order keeps the records sensible wherever a crash cuts them:
the start of a trial (its "pending" event, which holds its configuration) before its metrics, its metrics
before its other events, all of these before the table of trials. So no report stands without its
configuration, and no end without its reports.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from orchestrator.core.rows import EventRow, MetricRow, State, TrialRow
from orchestrator.errors import RecordsError
from orchestrator.records.disk import DISK, Disk
from orchestrator.records.encode import events_table, metrics_table
from orchestrator.records.parquet_log import SEAL_ROWS, Log, log_files, read_file
from orchestrator.records.paths import SweepPaths
from orchestrator.records.schema import EVENTS, Kind, metric_names, metrics_schema
from orchestrator.records.trials_table import TrialsTable
from orchestrator.records.write_throttle import Pace

LOGS_EVERY = 1.0
TRIALS_EVERY = 2.0
"""Least seconds between two writes of the logs, and of the table of trials."""


class Recorder:
    """Writes metrics, events and trials of one sweep. Opening an existing sweep continues its records.

    A row is acknowledged once the :meth:`tick`, :meth:`flush` or :meth:`close` that wrote it has returned. If
    the disk refuses, these raise and keep what they could not write for the next call.

    Attributes:
        seconds: Time spent in here so far, for the sweep's account of its overhead.
    """

    def __init__(
        self,
        paths: SweepPaths,
        *,
        sweep: str,
        parameters: Mapping[str, Kind],
        metrics: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
        disk: Disk = DISK,
        logs_every: float = LOGS_EVERY,
        trials_every: float = TRIALS_EVERY,
        seal_rows: int = SEAL_ROWS,
    ) -> None:
        """Open the records. Files without rows are written at once, so that readers find the columns.

        Args:
            paths: Where.
            sweep: The sweep's name, for ``sweep`` and ``trial_id``.
            parameters: The searched parameters and the kinds of their columns.
            metrics: Metrics that have a column even if the first reports lack them, such as the objective.
            clock: Seconds, from any origin.
            disk: The file system.
            logs_every: Least seconds between two writes of the logs.
            trials_every: Least seconds between two writes of the table of trials.
            seal_rows: Rows of a full file of a log.

        Raises:
            RecordsError: The records cannot be read or written, or hold a file that is not theirs.
        """
        began = clock()
        self._clock = clock
        self._sweep = sweep
        self._expected = tuple(metrics)
        self._metrics_log = Log(paths.metrics, metrics_schema(metrics), disk=disk, seal_rows=seal_rows)
        self._events_log = Log(paths.events, EVENTS, disk=disk, seal_rows=seal_rows)
        _require(self._metrics_log, metrics_schema(metric_names(self._metrics_log.schema)))
        _require(self._events_log, EVENTS)
        self._trials = TrialsTable(paths.trials_table, sweep, parameters, disk=disk)
        self._last_step = _last_steps(paths.metrics)
        self._metric_rows: list[MetricRow] = []
        self._event_rows: list[EventRow] = []
        self._logs_pace = Pace(clock, least=logs_every)
        self._trials_pace = Pace(clock, least=trials_every)
        self.seconds = clock() - began

    def metrics(self, rows: Iterable[MetricRow]) -> None:
        """Take reports. The first one of a (trial, step) stands.

        A step that is not beyond the trial's last is a repeat after a restart, and dropped.
        """
        began = self._clock()
        for row in rows:
            if row.step > self._last_step.get(row.trial, -1):
                self._last_step[row.trial] = row.step
                self._metric_rows.append(row)
        self.seconds += self._clock() - began

    def events(self, rows: Iterable[EventRow]) -> None:
        """Take events. The "pending" event of a trial comes before its metrics."""
        self._event_rows.extend(rows)

    def trial(self, row: TrialRow) -> None:
        """Take a trial's row; the latest stands.

        Raises:
            RecordsError: Its configuration does not fit the columns.
        """
        self._trials.put(row)

    def tick(self) -> None:
        """Write what is due. Call it often; it costs nothing when nothing is.

        Raises:
            RecordsError: The disk refused. Nothing is lost: a later call writes it.
        """
        if self._logs_pace.due():
            self._write_logs()
            if self._trials_pace.due():
                self._write_trials()

    def flush(self) -> None:
        """Write everything now.

        Raises:
            RecordsError: As for :meth:`tick`.
        """
        self._write_logs()
        self._write_trials()

    def close(self) -> None:
        """Write everything. There is nothing else to release: after an error, close again.

        Raises:
            RecordsError: As for :meth:`tick`.
        """
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write_logs(self) -> None:
        if self._metric_rows or self._event_rows or self._metrics_log.pending or self._events_log.pending:
            self._timed(self._write_round, self._logs_pace)

    def _write_trials(self) -> None:
        if self._trials.pending:
            before = self.seconds
            try:
                self._timed(self._trials.write, self._trials_pace)
            finally:
                self._logs_pace.also(self.seconds - before)

    def _timed(self, write: Callable[[], None], pace: Pace) -> None:
        began = self._clock()
        try:
            write()
        finally:
            seconds = self._clock() - began
            self.seconds += seconds
            pace.wrote(seconds)

    def _write_round(self) -> None:
        if self._metric_rows:
            starts = [row for row in self._event_rows if row.event == State.PENDING]
            if starts:
                self._event_rows = [row for row in self._event_rows if row.event != State.PENDING]
                self._events_log.append(events_table(starts, self._sweep))
            self._events_log.write()
            self._set_columns()
            self._metrics_log.append(metrics_table(self._metric_rows, self._metrics_log.schema, self._sweep))
            self._metric_rows = []
        self._metrics_log.write()
        if self._event_rows:
            self._events_log.append(events_table(self._event_rows, self._sweep))
            self._event_rows = []
        self._events_log.write()

    def _set_columns(self) -> None:
        """Let the first reports of the sweep decide which metrics have columns."""
        if not self._metrics_log.rows and not self._metrics_log.pending:
            seen = (name for row in self._metric_rows for name in row.metrics)
            self._metrics_log.set_columns(metrics_schema(dict.fromkeys([*self._expected, *seen])))


def _require(log: Log, schema: pa.Schema) -> None:
    if log.schema != schema:
        raise RecordsError(
            f"{log.directory} has the columns {', '.join(log.schema.names)}: these are no records of a sweep"
        )


def _last_steps(metrics: Path) -> dict[int, int]:
    """The last recorded step of every trial."""
    last: dict[int, int] = {}
    for path in log_files(metrics):
        steps = read_file(path, ["trial", "step"]).group_by("trial").aggregate([("step", "max")])
        for row in steps.to_pylist():
            last[row["trial"]] = max(row["step_max"], last.get(row["trial"], -1))
    return last
