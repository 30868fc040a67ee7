"""The journal of a trial: a file of its newest reports, which survives the driver and the worker.

The driver records a report seconds after it was made. The process that trains writes it to the journal at once, or
within :data:`EVERY_S` if reports come faster; so a trial that continues after a kill, from a checkpoint of any kind or
from its start, first sends what the driver does not have.

A line is a JSON list of reports, each ``[step, train_us, reported_us, {metric: value}]`` with times in microseconds, as
they are recorded; NaN and infinities are written as Python's json does. A line that was cut off is no JSON, and is
ignored. A full journal is set aside once the one set
aside before it is surely recorded, which it then replaces.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from trainables.report import Report

EVERY_S = 0.05
"""Seconds between two writes: a training with fewer reports than 20 a second waits for each to be written."""

RECORDED_S = 60.0
"""Seconds after which a report counts as recorded, if the driver has collected reports since.

A report reaches the driver within a heartbeat, and a driver that cannot write does not collect. One that writes slowly
writes every ten seconds, or every 20 times what a write takes (``orchestrator/records/write_throttle.py``)."""

FULL = 2**20
"""Bytes after which a journal is set aside."""

RETRY_S = 1.0
"""Seconds after which writing is tried again, if the disk has refused."""

UNWRITTEN = 20_000
"""Reports kept at most while the disk takes none."""

_JSON = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=dict)  # the quickest


class ReportJournal:
    """Journals the reports of one attempt. Used by the thread that trains and by the one that writes checkpoints.

    A disk that refuses does not end the training: the trial's log says so, and the next write tries again.
    """

    def __init__(self, path: Path, *, recorded: int | None, collected_at: Callable[[], float]) -> None:
        """Begin without touching the disk.

        Args:
            path: The trial's journal. Its directory is created at the first report.
            recorded: The trial's last step that the driver has received.
            collected_at: Returns when the driver collected last, by the monotonic clock.
        """
        self._path = path
        self._last = -1 if recorded is None else recorded  # reports up to this step need not be written
        self._appended: int | None = None  # the last step of this attempt, of which more may come
        self._collected_at = collected_at
        self._lock = threading.Lock()
        self._unwritten: deque[Report] = deque(maxlen=UNWRITTEN)
        self._next_write = 0.0  # by the monotonic clock
        self._timer: threading.Timer | None = None  # writes what came too soon after the last write
        self._file: int | None = None
        self._size = 0
        self._set_aside_at = time.monotonic()  # if by an earlier attempt: its reports are about to be sent again
        self._refused = False
        self._closed = False

    def unrecorded(self) -> list[Report]:
        """The reports of earlier attempts that the driver has not received, to be sent before any other."""
        try:
            reports = unrecorded(self._path, self._last)
        except OSError as error:
            _say(f"{self._path} cannot be read: {error.strerror}; reports of earlier attempts may be lost")
            return []
        if reports:
            self._last = reports[-1].step
        return reports

    def append(self, report: Report, now: float) -> None:
        """Write a report, or let it be written within :data:`EVERY_S`. What repeats an earlier attempt is left out.

        Args:
            report: The new report.
            now: The time, by the monotonic clock.
        """
        if report.step <= self._last and report.step != self._appended:
            return
        self._last = self._appended = report.step
        with self._lock:
            if self._closed:
                return
            self._unwritten.append(report)
            if self._timer is not None:
                return
            if now >= self._next_write:
                self._try_to_write()
                return
            self._timer = threading.Timer(self._next_write - now, self._write_in_time)
            self._timer.daemon = True
            self._timer.start()

    def flush(self) -> None:
        """Write what is unwritten, before the trial waits for a decision."""
        with self._lock:
            self._try_to_write()

    def sync(self) -> None:
        """Write what is unwritten, and wait until the disk has it, before a checkpoint says that it is safe.

        Only a checkpoint, which is synced as well, needs that: what was written survives the process in any case.

        Raises:
            OSError: It cannot be written.
        """
        with self._lock:
            self._write()
            if self._file is None:
                return
            file = os.dup(self._file)
        try:
            os.fsync(file)
        finally:
            os.close(file)

    def close(self) -> None:
        """Write what is unwritten, and ignore later reports. Further calls do nothing."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
            self._try_to_write()
            self._unwritten.clear()
            file, self._file = self._file, None
            if file is not None:
                os.close(file)

    # With the lock -------------------------------------------------------------------------------------------------

    def _write_in_time(self) -> None:
        with self._lock:
            self._timer = None
            self._try_to_write()

    def _try_to_write(self) -> None:
        try:
            self._write()
        except OSError as error:
            self._next_write += RETRY_S
            if not self._refused:
                self._refused = True
                _say(f"{self._path} cannot be written: {error.strerror}; if the driver dies, new reports may be lost")

    def _write(self) -> None:
        if not self._unwritten:
            return
        now = time.monotonic()
        self._next_write = now + EVERY_S
        file = self._open() if self._file is None else self._file
        if self._size >= FULL and self._set_aside_at < self._collected_at() - RECORDED_S:
            os.fsync(file)  # not all of it may be recorded yet, and a later sync would miss it
            os.replace(self._path, set_aside(self._path))
            self._file, self._set_aside_at = None, now
            os.close(file)
            file = self._open()
        data = memoryview(_line(self._unwritten))
        self._size += len(data)
        while data:
            data = data[os.write(file, data) :]
        self._unwritten.clear()
        self._refused = False

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        try:
            self._file = os.open(self._path, flags, 0o666)
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, flags, 0o666)
        self._size = os.fstat(self._file).st_size
        return self._file


def set_aside(journal: Path) -> Path:
    """The file that has the older reports of a journal."""
    return journal.with_suffix(f".before{journal.suffix}")


def unrecorded(journal: Path, recorded: int) -> list[Report]:
    """The reports beyond a step, in the order of their steps; those of one step count as one.

    If there were several of the step itself, they are returned as well: it may not be recorded completely.

    Raises:
        OSError: The journal cannot be read.
    """
    found: dict[int, Report] = {}
    again: set[int] = set()
    for path in (set_aside(journal), journal):
        with suppress(FileNotFoundError):
            for line in path.read_bytes().split(b"\n"):
                for report in _reports(line):
                    if (before := found.get(report.step)) is None:
                        found[report.step] = report
                    else:
                        found[report.step] = before.joined(report)
                        again.add(report.step)
    return [found[step] for step in sorted(found) if step > recorded or (step == recorded and step in again)]


def remove(journal: Path) -> None:
    """Remove a journal whose reports are recorded.

    Raises:
        OSError: It cannot be removed.
    """
    set_aside(journal).unlink(missing_ok=True)
    journal.unlink(missing_ok=True)


def _line(reports: deque[Report]) -> bytes:
    """Reports as a line. It begins with the line break, so that a line cut off before it does not spoil it."""
    rows = [(each.step, round(each.train_s * 1e6), round(each.reported_at * 1e6), each.metrics) for each in reports]
    return b"\n" + _JSON.encode(rows).encode()


def _reports(line: bytes) -> list[Report]:
    try:
        return [
            Report(step=step, train_s=train_us / 1e6, reported_at=reported_us / 1e6, metrics=metrics)
            for step, train_us, reported_us, metrics in json.loads(line)
        ]
    except ValueError:  # cut off
        return []


def _say(line: str) -> None:
    with suppress(Exception):  # the trial may have replaced it
        print(line, file=sys.stderr, flush=True)
