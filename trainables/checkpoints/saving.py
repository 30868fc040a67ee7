"""Saves a trial: the thread that trains copies the state, which is quick, and another thread writes it.

Files that the program has written are copied by the thread that trains, because the program may change or remove them
as soon as ``save`` returns; the other thread waits until the disk has the copy, and lets the checkpoint name it.

A failed write does not end the training: the trial's log says so, and the next write is tried when it is due.
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
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from trainables.checkpoints import saved_files, snapshot
from trainables.checkpoints.files import SUFFIXES, Keep, find, kept, leftovers, places, replacing
from trainables.checkpoints.saved_files import SavedFiles
from trainables.checkpoints.snapshot import DamagedCheckpoint, Snapshot

NAMES: tuple[Literal["last"], Literal["best"]] = ("last", "best")  # in the order in which they are restored

MARGIN = 512 * 2**20
"""Bytes to leave free on the disk for the records; on a small disk, 1%."""


class Checkpoints:
    """The checkpoints of one attempt at a trial: ``last`` is the newest state saved, ``best`` that of the lowest loss.

    With ``before_write``, a state is written only after the next report or save, because the report of its step may
    follow: a trial that continues from a checkpoint does not make the reports up to its step again.

    The thread that trains calls the methods; other threads may call ``close``.

    Attributes:
        trouble: Why checkpoints cannot be written at present; "" if they can.
    """

    def __init__(
        self,
        directory: Path,
        *,
        every_s: float = 0.0,
        before_write: Callable[[], object] | None = None,
        disk_usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage,
    ) -> None:
        """Begin without reading or writing anything.

        Args:
            directory: The directory of this trial's checkpoints alone, created at the first save. If it is removed
                later, as :func:`trainables.checkpoints.files.tidy` does, nothing more is written.
            every_s: The least seconds between two writes, each of the newest state; ``close`` writes the last one. 0:
                each save is written before ``save`` returns, without a thread.
            before_write: Called before files are written, to make the reports so far safe; if it raises, nothing is
                written. None: nobody keeps the reports.
            disk_usage: Returns the total, used and free bytes of the disk.
        """
        self.trouble = ""
        self._directory = directory
        self._every_s = every_s
        self._before_write = before_write
        self._disk_usage = disk_usage
        self._lock = threading.Lock()  # for what is saved and not yet written
        self._writing = threading.Lock()  # held while files are written
        self._written: int | None = None  # the step of `last` on the disk
        self._newest: Snapshot | None = None
        self._settled = True  # whether the newest may be written
        self._reported_step = -1
        self._reported: tuple[int, float] | None = None  # the newest step with a finite loss
        self._best = math.inf
        self._unwritten: dict[str, Snapshot] = {}
        self._copies: set[str] = set()  # places of files that were copied, by earlier attempts too, until removed
        self._copying = ""  # the place that is being copied to
        self._opened = False  # whether the directory was created
        self._closed = threading.Event()
        self._writer: threading.Thread | None = None

    @property
    def newest_files(self) -> Path | None:
        """The copy of the file or directory that was saved last; None if the last save had none, or there was none."""
        newest = self._newest
        return None if newest is None or newest.files is None else newest.files.path

    def restore(self) -> Snapshot | None:
        """The newest complete checkpoint: ``last``, or else ``best``, which is older; None if there is none.

        A damaged or foreign file is renamed to ``*.damaged``, and the trial's log says so.

        Raises:
            OSError: A file exists and cannot be read.
        """
        for name in NAMES:
            path = find(self._directory, name)
            if path is None:
                continue
            try:
                found, self._best = snapshot.read(path)
            except DamagedCheckpoint as error:
                damaged = path.with_name(f"{path.name}.damaged")
                _say(f"{path} is damaged ({error}); renamed to {damaged.name}")
                with suppress(OSError):
                    path.replace(damaged)
            else:
                if find(self._directory, "best") is None:  # it was removed
                    self._best = math.inf
                self._written = found.step
                return found
        return None

    def save(self, step: int, state: Mapping[str, Any], path: str | os.PathLike[str] | None = None) -> None:
        """Copy the state after a step, and write it when due; see :func:`trainables.checkpoints.snapshot.take`.

        A file or directory is copied before this returns, if the disk has room for it.

        Raises:
            TypeError: A value in the state cannot be saved, or not together with files.
            FileNotFoundError, ValueError: See :func:`trainables.checkpoints.saved_files.source_of`.
        """
        taken = snapshot.take(step, state, files=path is not None)
        source = None if path is None else saved_files.source_of(path, self._directory)
        if self._closed.is_set():
            return
        if not self._opened:
            self._open()
        if source is not None:
            copied = self._copied(source, step)
            if copied is None:
                return
            taken = replace(taken, files=copied)
        with self._lock:
            self._settle()
            self._copying = ""
            if not self._closed.is_set():
                self._newest, self._settled = taken, self._before_write is None or self._reported_step >= step
                if self._settled:
                    self._unwritten["last"] = taken
                self._compare()
        if not self._every_s:
            self._write()
        elif self._writer is None:
            self._writer = threading.Thread(target=self._write_when_due, name="checkpoints", daemon=True)
            self._writer.start()
        if self._writing.acquire(blocking=False):  # else the writer does it
            try:
                self._remove_superseded()
            finally:
                self._writing.release()

    def report(self, step: int, loss: float | None) -> None:
        """Take the loss at a step, before or after the save of that step.

        Args:
            step: The step of the report.
            loss: Lower is better; NaN and infinity are never the best. None: the report has no loss.
        """
        with self._lock:
            self._settle()
            self._reported_step = step
            if loss is not None and math.isfinite(loss):
                self._reported = (step, loss)
                self._compare()
        if not self._every_s:
            self._write()

    def write_now(self) -> int | None:
        """Write the newest state, whose report has come; returns the step of the newest state on the disk.

        None: nothing was saved, or it cannot be written.
        """
        with self._lock:
            self._settle()
        self._write()
        return None if self.trouble else self._written

    def close(self, keep: Keep = "both", *, finished: bool = False) -> None:
        """Write unwritten states that are to be kept, and ignore later saves. Further calls do nothing.

        Args:
            keep: Which checkpoints to keep. With "none" the call returns at once; a write that has begun still ends.
            finished: Whether no report will follow the last save, so that it may be written.
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
            self._newest = None  # frees its memory
        self._write()

    def _open(self) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for left in leftovers(self._directory):
                saved_files.remove(left)
            self._copies = {path.name for path in self._directory.iterdir() if saved_files.is_place(path.name)}
            self._opened = True
        except OSError as error:
            self._note(error)

    def _copied(self, source: Path, step: int) -> SavedFiles | None:
        """A copy of a file or directory, not yet named by a checkpoint; None if it cannot be made."""
        if not self._opened:
            return None
        place = self._directory / saved_files.new_place(step)
        with self._lock:
            self._copying = place.name
            self._copies.add(place.name)
        try:
            self._require(saved_files.size_of(source))
            return saved_files.copy_to(place, source)
        except OSError as error:
            with self._lock:
                self._copying = ""
            with self._writing:
                self._remove_superseded()
            if self._directory.exists():  # else the checkpoints are no longer wanted
                self._note(error)
            return None

    def _remove_superseded(self) -> None:
        """Remove the copies of files that no checkpoint names, and none will."""
        if not self._copies:
            return
        with suppress(OSError):  # what stays is removed with the trial's surplus
            with self._lock:
                states = (self._newest, *self._unwritten.values())
                wanted = {each.files.place for each in states if each is not None and each.files is not None}
                going = self._copies - wanted - {self._copying}
            going -= set(places(self._directory, (f"{name}.json" for name in NAMES)))
            for place in going:
                saved_files.remove(self._directory / place)
            with self._lock:
                self._copies -= going

    def _settle(self) -> None:
        """Let the newest state be written: its report has come, or none will."""
        if not self._settled and self._newest is not None:
            self._unwritten["last"] = self._newest
        self._settled = True

    def _compare(self) -> None:
        """Make the newest state the best one if its loss is the lowest, once both its report and its save have come."""
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
        with self._writing:
            self._write_alone()
            self._remove_superseded()

    def _write_alone(self) -> None:
        with self._lock:
            unwritten, self._unwritten = self._unwritten, {}
            loss = self._best
        if not unwritten or not self._opened:
            return
        best, last = unwritten.get("best"), unwritten.get("last")
        try:
            if self._before_write is not None:
                self._before_write()
            if best is not None:  # first, because `last` contains the loss of the best
                self._put("best", best, loss)
            if last is not None and last is best:
                self._link(last, loss)
            elif last is not None:
                self._put("last", last, loss)
        except FileNotFoundError:
            pass  # the directory was removed: the checkpoints are no longer wanted
        except Exception as error:  # errors of the disk, which torch wraps in its own
            with self._lock:
                self._unwritten = unwritten | self._unwritten
            self._note(error)
        else:
            if last is not None:
                self._written = last.step
            self._note(None)

    def _require(self, size: int) -> None:
        """Refuse to write so many bytes if the disk would be full."""
        total, _, free = self._disk_usage(self._directory)
        margin = min(MARGIN, total // 100)
        if free < size + margin:
            raise OSError(errno.ENOSPC, f"only {free / 1e6:.0f} MB free on disk, {margin / 1e6:.0f} MB of it reserved")

    def _put(self, name: str, taken: Snapshot, loss: float) -> None:
        self._require(2 * taken.size)
        if taken.files is not None:
            taken.files.sync()
        with replacing(self._directory / f"{name}{taken.suffix}") as hidden, hidden.open("xb") as file:
            snapshot.write(file, taken, loss)
            file.flush()
            os.fsync(file.fileno())
        self._clear(name, taken.suffix)

    def _link(self, taken: Snapshot, loss: float) -> None:
        """Make the best checkpoint the last one as well, by a link if the file system has links."""
        try:
            with replacing(self._directory / f"last{taken.suffix}") as hidden:
                os.link(self._directory / f"best{taken.suffix}", hidden)
        except OSError:
            self._put("last", taken, loss)
        else:
            self._clear("last", taken.suffix)

    def _clear(self, name: str, suffix: str) -> None:
        """Remove the file of that name with the other suffix, which the new one replaces."""
        for other in SUFFIXES:
            if other != suffix:
                (self._directory / f"{name}{other}").unlink(missing_ok=True)

    def _note(self, error: Exception | None) -> None:
        before, self.trouble = self.trouble, "" if error is None else _reason(error)
        if self.trouble and not before:
            _say(f"{self._directory}: checkpoints cannot be written: {self.trouble}; training and recording continue")
        elif before and not self.trouble:
            _say(f"{self._directory}: checkpoints are written again")


def _reason(error: BaseException) -> str:
    """The error message of the disk, even if torch has wrapped the error."""
    if isinstance(error, OSError) or error.__context__ is None:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__
    return _reason(error.__context__)


def _say(line: str) -> None:
    with suppress(Exception):  # the trial may have replaced it
        print(line, file=sys.stderr, flush=True)
