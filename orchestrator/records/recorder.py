"""The only writer of a sweep's records.

Rows are buffered and written in rounds, in an order that keeps the records consistent wherever a crash interrupts it: a
trial's "pending" and "suggested" events, which have its configuration, before its metrics; its metrics before its other
events; and all of them before the table of trials. So every report has its configuration, and every ended trial all its
reports.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from orchestrator.core.rows import SUGGESTED, EventRow, MetricRow, State, TrialRow
from orchestrator.errors import RecordsError
from orchestrator.records.additions import completed, joined
from orchestrator.records.atomic_files import FILE_OPERATIONS, FileOperations
from orchestrator.records.encode import events_table, metrics_table
from orchestrator.records.extra import widened
from orchestrator.records.parquet_log import SEAL_ROWS, ParquetLog, log_files, read_file
from orchestrator.records.paths import SweepPaths
from orchestrator.records.schema import EVENTS, Kind, metric_names, metrics_schema
from orchestrator.records.trials_table import TrialsTable
from orchestrator.records.write_throttle import WriteThrottle

LOGS_EVERY = 1.0
TRIALS_EVERY = 2.0
"""Shortest time in seconds between two writes of the logs, and of the table of trials."""

_WITH_CONFIG = frozenset({State.PENDING.value, SUGGESTED})

COLUMNS = 2000
"""The most metrics that get a column each; the values of others are in ``extra``."""


class Recorder:
    """Writes metrics, events and trials of one sweep. Opening an existing sweep continues its records.

    A row is safe once the :meth:`tick`, :meth:`flush` or :meth:`close` that wrote it has returned. If writing
    fails, these methods raise and keep the unwritten rows for the next call.

    Attributes:
        seconds: Time spent on recording so far, for the sweep's overhead.
    """

    def __init__(
        self,
        paths: SweepPaths,
        *,
        sweep: str,
        parameters: Mapping[str, Kind],
        metrics: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
        disk: FileOperations = FILE_OPERATIONS,
        logs_every: float = LOGS_EVERY,
        trials_every: float = TRIALS_EVERY,
        seal_rows: int = SEAL_ROWS,
    ) -> None:
        """Open the records. New files are written at once without rows, so that readers find the columns.

        Args:
            paths: The sweep's files.
            sweep: The sweep's name, for the columns ``sweep`` and ``trial_id``.
            parameters: The searched parameters and the kinds of their columns.
            metrics: Metrics that get a column even if the first reports lack them, such as the objective.
            clock: Seconds, from any origin.
            disk: The file system.
            logs_every: Shortest time between two writes of the logs, in seconds.
            trials_every: Shortest time between two writes of the table of trials, in seconds.
            seal_rows: Rows after which a file of a log is full.

        Raises:
            RecordsError: The records cannot be read or written, or contain a file that does not belong there.
        """
        began = clock()
        self._clock = clock
        self._sweep = sweep
        self._metrics_log = ParquetLog(paths.metrics, metrics_schema(metrics), disk=disk, seal_rows=seal_rows)
        self._events_log = ParquetLog(paths.events, EVENTS, disk=disk, seal_rows=seal_rows)
        _require(self._metrics_log, metrics_schema(metric_names(self._metrics_log.schema)))
        _require(self._events_log, EVENTS)
        self._trials = TrialsTable(paths.trials_table, sweep, parameters, disk=disk)
        self._last_step = _last_steps(paths.metrics) if self._metrics_log.rows else {}
        self._metric_rows: list[MetricRow] = []
        self._buffered: dict[int, int] = {}  # where the last of these rows is, by trial
        self._additions: list[MetricRow] = []  # to rows that are in the log
        self._event_rows: list[EventRow] = []
        self._logs_throttle = WriteThrottle(clock, least=logs_every)
        self._trials_throttle = WriteThrottle(clock, least=trials_every)
        self.seconds = clock() - began

    @property
    def pending(self) -> bool:
        """Whether reports or events are not written yet."""
        buffered = self._metric_rows or self._additions or self._event_rows
        return bool(buffered or self._metrics_log.pending or self._events_log.pending)

    def metrics(self, rows: Iterable[MetricRow]) -> None:
        """Buffer reports. A (trial, step) has one row: a further report adds the metrics that it lacks.

        A step before the trial's last is a repetition after a restart, and dropped.
        """
        began = self._clock()
        for row in rows:
            last = self._last_step.get(row.trial, -1)
            if row.step > last:
                self._last_step[row.trial] = row.step
                self._buffered[row.trial] = len(self._metric_rows)
                self._metric_rows.append(row)
            elif row.step == last and row.trial in self._buffered:
                at = self._buffered[row.trial]
                self._metric_rows[at] = joined(self._metric_rows[at], row)
            elif row.step == last:
                self._additions.append(row)
        self.seconds += self._clock() - began

    def events(self, rows: Iterable[EventRow]) -> None:
        """Buffer events. The "pending" event of a trial must come before its metrics."""
        self._event_rows.extend(rows)

    def parameters(self, kinds: Mapping[str, Kind]) -> None:
        """Add columns for parameters that were found while trials ran.

        Args:
            kinds: All parameters, those of before included, and the kinds of their columns.
        """
        self._trials.widen(kinds)

    def trial(self, row: TrialRow) -> None:
        """Buffer a trial's row, which replaces earlier rows of the trial.

        Raises:
            RecordsError: The configuration does not fit the columns.
        """
        self._trials.put(row)

    def tick(self) -> None:
        """Write whatever is due. Cheap when nothing is, so call it often.

        Raises:
            RecordsError: Writing failed. No rows are lost: a later call writes them.
        """
        if self._logs_throttle.due():
            self._write_logs()
            if self._trials_throttle.due():
                self._write_trials()

    def flush(self) -> None:
        """Write everything now.

        Raises:
            RecordsError: As for :meth:`tick`.
        """
        self._write_logs()
        self._write_trials()

    def close(self) -> None:
        """Write everything. After an error, call it again: there is nothing else to release.

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
        if self.pending:
            self._timed(self._write_round, self._logs_throttle)

    def _write_trials(self) -> None:
        if self._trials.pending:
            before = self.seconds
            try:
                self._timed(self._trials.write, self._trials_throttle)
            finally:
                self._logs_throttle.add_seconds(self.seconds - before)

    def _timed(self, write: Callable[[], None], throttle: WriteThrottle) -> None:
        began = self._clock()
        try:
            write()
        finally:
            seconds = self._clock() - began
            self.seconds += seconds
            throttle.written(seconds)

    def _write_round(self) -> None:
        if self._metric_rows:
            configs = [row for row in self._event_rows if row.event in _WITH_CONFIG]
            if configs:
                self._event_rows = [row for row in self._event_rows if row.event not in _WITH_CONFIG]
                self._events_log.append(events_table(configs, self._sweep))
            self._events_log.write()
            self._add_columns(self._metric_rows)
            self._metrics_log.append(metrics_table(self._metric_rows, self._metrics_log.schema, self._sweep))
            self._metric_rows, self._buffered = [], {}
        if self._additions:
            self._add_columns(self._additions)
            rows, self._additions = self._additions, []
            self._metrics_log.rewrite(self._metrics_log.schema, lambda table: completed(table, rows, self._sweep))
        self._metrics_log.write()
        if self._event_rows:
            self._events_log.append(events_table(self._event_rows, self._sweep))
            self._event_rows = []
        self._events_log.write()

    def _add_columns(self, rows: Sequence[MetricRow]) -> None:
        """Give each new metric a column, while the columns are not final and not too many."""
        log = self._metrics_log
        if log.sealed:
            return
        own = metric_names(log.schema)
        seen = dict.fromkeys(name for row in rows for name in row.metrics)
        new = [name for name in seen if name not in own][: max(0, COLUMNS - len(own))]
        schema = metrics_schema([*own, *new])
        if schema != log.schema:
            log.rewrite(schema, lambda rows: widened(rows, schema))


def _require(log: ParquetLog, schema: pa.Schema) -> None:
    if log.schema != schema:
        raise RecordsError(
            f"{log.directory} has the columns {', '.join(log.schema.names)}: these are not the records of a sweep"
        )


def _last_steps(metrics: Path) -> dict[int, int]:
    """The last recorded step of every trial."""
    last: dict[int, int] = {}
    for path in log_files(metrics):
        steps = read_file(path, ["trial", "step"]).group_by("trial").aggregate([("step", "max")])
        for row in steps.to_pylist():
            last[row["trial"]] = max(row["step_max"], last.get(row["trial"], -1))
    return last
