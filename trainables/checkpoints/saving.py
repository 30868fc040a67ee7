"""When a trial is saved: copied in the thread that trains, which is quick, and written by another beside it.

Nothing that goes wrong in writing ends the training: it is a line in the trial's log, and the next attempt to write
is due as if it had gone well.
"""

from __future__ import annotations

import errno
import math
import os
import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Protocol

from trainables.checkpoints import snapshot
from trainables.checkpoints.files import SUFFIXES, Keep, find, kept, replacing
from trainables.checkpoints.snapshot import CarriedReports, DamagedCheckpoint, Snapshot

NAMES: tuple[Literal["last"], Literal["best"]] = ("last", "best")  # in the order in which they are restored

MARGIN = 512 * 2**20
"""Bytes that saving leaves free on a disk, for the records; of a small disk, a hundredth."""


class ReportLedger(Protocol):
    """Who knows which of the trial's reports are recorded.

    A checkpoint may reach the disk before the reports that led to it. If then the driver dies, or the worker, the trial
    goes on behind them; so the checkpoint carries them, and they are sent again.
    """

    def upto(self, step: int) -> CarriedReports:
        """The reports up to a step, except what is recorded for certain."""
        ...

    def resume(self, carried: CarriedReports) -> bool:
        """A checkpoint with these is there: send again what is not recorded.

        Returns False if there were reports between the records and the checkpoint that nobody has; then nothing is
        sent, and the trial must go on from an older one.
        """
        ...


class Checkpoints:
    """The checkpoints of one attempt at a trial: ``last`` is the newest state saved, ``best`` that of the lowest loss.

    With a ledger a state waits until it is clear whether a report belongs to it: until the next report or save.

    Its methods are called by the thread that trains, and ``close`` also by others.

    Attributes:
        trouble: Why nothing can be written at present; "" if it can.
    """

    def __init__(
        self,
        directory: Path,
        *,
        every_s: float = 0.0,
        ledger: ReportLedger | None = None,
        disk_usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage,
    ) -> None:
        """Nothing is read or written yet.

        Args:
            directory: Of this trial's checkpoints alone; made at the first save. If it is removed later, as
                :func:`trainables.checkpoints.files.tidy` does, nothing is written any more.
            every_s: Seconds between two writes at least; what is newest then is written, the rest at ``close``. 0:
                each save is written before it returns, and there is no thread.
            ledger: Knows which reports are recorded; None: nobody records them.
            disk_usage: Bytes of the disk in total, used and free.
        """
        self.trouble = ""
        self._directory = directory
        self._every_s = every_s
        self._ledger = ledger
        self._disk_usage = disk_usage
        self._lock = threading.Lock()  # of what is saved and not yet written
        self._newest: Snapshot | None = None
        self._settled = True  # whether the newest may be written
        self._reported_step = -1
        self._reported: tuple[int, float] | None = None  # the newest step with a finite loss
        self._best = math.inf
        self._unwritten: dict[str, Snapshot] = {}
        self._opened = False  # whether the directory was made
        self._closed = threading.Event()
        self._writer: threading.Thread | None = None

    def restore(self) -> Snapshot | None:
        """The newest whole checkpoint: ``last``, else ``best``, which is older but better than none.

        A damaged or foreign file is renamed to ``*.damaged``, and the trial's log says so.

        Raises:
            OSError: A file is there and cannot be read.
        """
        for name in NAMES:
            path = find(self._directory, name)
            if path is None:
                continue
            try:
                found, self._best = snapshot.read(path)
            except DamagedCheckpoint as error:
                aside = path.with_name(f"{path.name}.damaged")
                _say(f"{path} is no whole checkpoint ({error}); it is now {aside.name}")
                with suppress(OSError):
                    path.replace(aside)
            else:
                if self._ledger is not None and not self._ledger.resume(found.carried):
                    _say(f"{path} is newer than the records, by more than it carries along: it is not gone on from")
                    self._best = math.inf
                    continue
                if find(self._directory, "best") is None:  # somebody has removed it
                    self._best = math.inf
                return found
        return None

    def save(self, step: int, state: Mapping[str, Any]) -> None:
        """Copy the state after this step and write it when it is due; see :func:`trainables.checkpoints.snapshot.take`.

        Raises:
            TypeError: Something in the state cannot be saved.
        """
        taken = snapshot.take(step, state)
        if self._closed.is_set():
            return
        if not self._opened:
            self._open()
        with self._lock:
            self._settle()
            self._newest, self._settled = taken, self._ledger is None or self._reported_step >= step
            if self._settled:
                self._unwritten["last"] = taken
            self._compare()
        if not self._every_s:
            self._write()
        elif self._writer is None:
            self._writer = threading.Thread(target=self._write_when_due, name="checkpoints", daemon=True)
            self._writer.start()

    def report(self, step: int, loss: float | None) -> None:
        """The loss at a step, before or after the save of that step: lower is better, NaN and infinite never best.

        None: the report has none.
        """
        with self._lock:
            self._settle()
            self._reported_step = step
            if loss is not None and math.isfinite(loss):
                self._reported = (step, loss)
                self._compare()
        if not self._every_s:
            self._write()

    def close(self, keep: Keep = "both", *, finished: bool = False) -> None:
        """Write what is newer than the files, as far as it is to be kept, and save no more. Once is enough.

        With "none" it returns at once, though a write that has begun still ends. ``finished``: no report will follow
        the last save, so that it may be written.
        """
        if self._closed.is_set():
            return
        self._closed.set()
        if self._writer is not None and keep != "none":
            self._writer.join()
        with self._lock:
            if finished:
                self._settle()
            names = kept(keep, best=self._best < math.inf)
            self._unwritten = {name: each for name, each in self._unwritten.items() if name in names}
            self._newest = None  # which is memory
        self._write()

    def _open(self) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for left in self._directory.glob(".*"):  # by a writer that was killed
                left.unlink(missing_ok=True)
            self._opened = True
        except OSError as error:
            self._note(error)

    def _settle(self) -> None:
        """What was saved last stands: its report has come, or none will."""
        if not self._settled and self._newest is not None:
            self._unwritten["last"] = self._newest
        self._settled = True

    def _compare(self) -> None:
        """Is the newest state the best one? Only once both its report and its save have come."""
        if self._newest is None or self._reported is None:
            return
        step, loss = self._reported
        if self._newest.step == step and loss < self._best:
            self._best = loss
            self._unwritten["best"] = self._newest

    # Writing -------------------------------------------------------------------------------------------------------

    def _write_when_due(self) -> None:
        while not self._closed.wait(self._every_s):
            self._write()

    def _write(self) -> None:
        with self._lock:
            unwritten, self._unwritten = self._unwritten, {}
            loss = self._best
        if not unwritten or not self._opened:
            return
        best, last = unwritten.get("best"), unwritten.get("last")
        try:
            if best is not None:  # first, because `last` tells the loss of the best
                self._put("best", best, loss)
            if last is not None and last is best:
                self._link(last, loss)
            elif last is not None:
                self._put("last", last, loss)
        except FileNotFoundError:
            pass  # tidied away: nobody wants them any more
        except Exception as error:  # the disk's errors, which torch wraps in its own
            with self._lock:
                self._unwritten = unwritten | self._unwritten
            self._note(error)
        else:
            self._note(None)

    def _put(self, name: str, taken: Snapshot, loss: float) -> None:
        total, _, free = self._disk_usage(self._directory)
        margin = min(MARGIN, total // 100)
        if free < 2 * taken.size + margin:
            raise OSError(errno.ENOSPC, f"{free / 1e6:.0f} MB are free on its disk, {margin / 1e6:.0f} MB stay free")
        with replacing(self._directory / f"{name}{taken.suffix}") as hidden, hidden.open("xb") as file:
            carried = CarriedReports() if self._ledger is None else self._ledger.upto(taken.step)
            snapshot.write(file, taken, loss, carried)
            file.flush()
            os.fsync(file.fileno())
        self._clear(name, taken.suffix)

    def _link(self, taken: Snapshot, loss: float) -> None:
        """Make the file of the best the last, too, without writing it a second time where the disk knows links."""
        try:
            with replacing(self._directory / f"last{taken.suffix}") as hidden:
                os.link(self._directory / f"best{taken.suffix}", hidden)
        except OSError:
            self._put("last", taken, loss)
        else:
            self._clear("last", taken.suffix)

    def _clear(self, name: str, suffix: str) -> None:
        """Remove the file of that name that the new one replaces, if the state has changed between the two forms."""
        for other in SUFFIXES:
            if other != suffix:
                (self._directory / f"{name}{other}").unlink(missing_ok=True)

    def _note(self, error: Exception | None) -> None:
        before, self.trouble = self.trouble, "" if error is None else _reason(error)
        if self.trouble and not before:
            _say(f"{self._directory}: no checkpoint can be written: {self.trouble}. Training and recording go on")
        elif before and not self.trouble:
            _say(f"{self._directory}: checkpoints are written again")


def _reason(error: BaseException) -> str:
    """The disk's own words, where torch has put an error of its own on top."""
    if isinstance(error, OSError) or error.__context__ is None:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__
    return _reason(error.__context__)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
