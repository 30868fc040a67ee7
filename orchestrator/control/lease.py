"""The lease of a sweep, which allows only one driver at a time.

lease.json names the holder and has a counter that the driver increments. Whether the holder is alive is decided by its
process if that is visible from here, else by watching whether the file changes; the clocks of two hosts are never
compared. A driver that was suspended for too long finds at its next beat that it has lost the lease, and must stop.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psutil

from orchestrator.errors import RecordsError, UserError
from orchestrator.records.atomic_files import open_new, temporary_path
from orchestrator.records.plain_files import parse_as, read_plain

BEAT_SECONDS = 1.0
PATIENCE_SECONDS = 30.0
"""A holder counts as dead if the lease has not changed for this long. Drivers must beat more often."""

Status = Literal["running", "running?", "dead", "ended"]
"""``running?``: the holder is on another host or in another container, so its process cannot be checked."""


class LeaseHeldError(UserError):
    """Another driver is running the sweep."""

    code = "lease-held"


class LeaseLostError(RecordsError):
    """Another driver has taken over the sweep; this one must stop and write nothing more."""

    code = "lease-lost"


@dataclass(frozen=True, kw_only=True)
class Holder:
    """The holder of a lease: the content of lease.json."""

    host: str
    place: str  # the boot and the process namespace that the pid belongs to
    pid: int
    process_started: float  # seconds since the epoch by the holder's clock; detects a reused pid
    started: float  # when the lease was taken, by the same clock
    counter: int = 0


class Lease:
    """The right to run a sweep, held from :meth:`acquire` to :meth:`release`."""

    def __init__(self, path: Path, holder: Holder, clock: Callable[[], float]) -> None:
        """Use :meth:`acquire` instead."""
        self._path = path
        self._holder = holder
        self._clock = clock
        self._next = clock() + BEAT_SECONDS

    @classmethod
    def acquire(
        cls,
        path: Path,
        *,
        patience: float = PATIENCE_SECONDS,
        waiting: Callable[[str], object] = lambda sentence: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Lease:
        """Take the lease, unless a live driver holds it.

        The lease of a dead driver on this host is taken at once, a lease from elsewhere once it has not changed for
        ``patience`` seconds.

        Args:
            path: lease.json in the sweep's directory.
            patience: Seconds.
            waiting: Called with a sentence that says what is being waited for.
            clock: Seconds, from any origin.
            sleep: Sleeps for the given number of seconds.

        Raises:
            LeaseHeldError: Another driver is running the sweep.
            RecordsError: The lease cannot be written.
        """
        with _explained(path), _one_at_a_time(path):
            held = _content(path)
            if held and _may_live(held, path, patience, waiting, clock, sleep):
                raise LeaseHeldError(_held_by(held, path))
            lease = cls(path, _ourselves(), clock)
            lease._write()
        return lease

    def beat(self) -> None:
        """Show that the driver is alive. Call it often; it writes at most once a second.

        Raises:
            LeaseLostError: Another driver has taken the lease.
            RecordsError: The lease cannot be written.
        """
        if self._clock() < self._next:
            return
        with _explained(self._path):
            if not self._ours():
                raise LeaseLostError(f"another driver has taken over {self._path.parent}, so this one must stop")
            self._holder = replace(self._holder, counter=self._holder.counter + 1)
            self._write()
        self._next = self._clock() + BEAT_SECONDS

    def release(self) -> None:
        """Release the lease; does nothing if another driver holds it.

        Raises:
            RecordsError: The lease cannot be removed.
        """
        with _explained(self._path):
            if self._ours():
                self._path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the lease, without hiding an earlier error if that fails."""
        try:
            self.release()
        except RecordsError:
            if error is None:
                raise

    def _ours(self) -> bool:
        holder = _holder(_content(self._path))
        return holder is not None and replace(holder, counter=self._holder.counter) == self._holder

    def _write(self) -> None:
        """Replace the file, without a sync: after a power cut, no lease is valid anyway."""
        with open_new(temporary_path(self._path)) as file:
            file.write(json.dumps(asdict(self._holder)).encode())
        temporary_path(self._path).replace(self._path)


def status(path: Path) -> Status:
    """Whether a driver is running the sweep, without waiting.

    ``ended``: there is no lease. ``running``, ``dead``: according to the holder's process. ``running?``: the process
    is not visible from here, and only :meth:`Lease.acquire` can tell, by waiting.
    """
    try:
        content = _content(path)
    except OSError:
        return "running?"
    if not content:
        return "ended"
    holder = _holder(content)
    if holder is None or holder.place != _place():
        return "running?"
    return "running" if _process(holder) == "runs" else "dead"


def _ourselves() -> Holder:
    return Holder(
        host=socket.gethostname(),
        place=_place(),
        pid=os.getpid(),
        process_started=psutil.Process().create_time(),
        started=time.time(),
    )


@cache
def _place() -> str:
    """Identifies the boot of this machine and the process namespace, within which pids are unique.

    Host names do not: containers and cloned machines share them.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # not Linux
        return socket.gethostname()


def _process(holder: Holder) -> Literal["runs", "gone", "other"]:
    """Whether the process with the holder's pid in our namespace is the holder, another process, or gone.

    "other" is uncertain: start times are derived from the clock, which may have been changed in between.
    """
    try:
        process = psutil.Process(holder.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return "gone"
        return "runs" if abs(process.create_time() - holder.process_started) < 2.0 else "other"
    except psutil.NoSuchProcess:
        return "gone"


def _may_live(
    held: bytes,
    path: Path,
    patience: float,
    waiting: Callable[[str], object],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> bool:
    """Whether the holder is alive: by its process if that is certain, else by watching the file for changes."""
    holder = _holder(held)
    if holder is not None and holder.place == _place():
        process = _process(holder)
        if process != "other":
            return process == "runs"
    waiting(f"{_held_by(held, path)}; waiting up to {patience:g} s to see whether that driver is still alive")
    until = clock() + patience
    while clock() < until:
        sleep(min(BEAT_SECONDS / 2, patience))
        now = _content(path)
        if now != held:
            return bool(now)
    return False


def _held_by(held: bytes, path: Path) -> str:
    holder = _holder(held)
    if holder is None:
        return f"{path} is damaged, so it does not say which driver runs the sweep"
    minutes = max(0.0, time.time() - holder.started) / 60
    return f"{path.parent} has been running for {minutes:.0f} min (pid {holder.pid} on {holder.host})"


def _holder(content: bytes) -> Holder | None:
    """The holder; None if the content is not a lease, for example after a power cut."""
    try:
        holder: Holder = parse_as(Holder, content)
    except ValueError:
        return None
    return holder if 0 < holder.pid < 2**31 else None


def _content(path: Path) -> bytes:
    """The file's content; empty if there is no file."""
    try:
        return read_plain(path)
    except FileNotFoundError:
        return b""


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Let only one process at a time check and take the lease, so that two cannot both find it free."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path.with_name(f".{path.name}.lock"), flags, 0o666), "wb") as file:
        with contextlib.suppress(OSError):  # the file system has no locks: the loser finds out at its first beat
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordsError(f"cannot use the lease {path}: {error.strerror or error}") from error
