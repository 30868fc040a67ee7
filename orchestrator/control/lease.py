"""The lease: one driver a sweep.

lease.json says who holds it and carries a counter that the driver raises. Whether a holder lives is judged by
its process where that can be seen, and elsewhere by watching whether the file changes; clocks of two hosts
are never compared. A driver that lost its lease, because it stood still for too long, learns of it at its
next beat and must stop.
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
from orchestrator.records.disk import hidden

BEAT_SECONDS = 1.0
PATIENCE_SECONDS = 30.0
"""How long a lease must stand still before its holder counts as dead. Drivers must beat more often."""

Status = Literal["running", "running?", "dead", "ended"]
"""``running?``: a lease held where we cannot look, on another host or in another container."""


class LeaseHeldError(UserError):
    """Another driver runs the sweep."""


class LeaseLostError(RecordsError):
    """Another driver took the sweep over; this one must stop and write nothing more."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds a lease, as lease.json says it."""

    host: str
    place: str  # the boot and the process namespace in which the pid means something
    pid: int
    process_started: float  # seconds since the epoch by the holder's clock; tells a reused pid apart
    started: float  # when the lease was taken, likewise
    counter: int = 0


class Lease:
    """The right to drive a sweep, held from :meth:`acquire` to :meth:`release`."""

    def __init__(self, path: Path, holder: Holder, clock: Callable[[], float]) -> None:
        """Only :meth:`acquire` makes one."""
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
        waiting: Callable[[str], None] = lambda sentence: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Lease:
        """Take the lease, unless another driver that lives holds it.

        A lease left behind on this host is taken at once; one from elsewhere, once it has stood still for
        ``patience`` seconds.

        Args:
            path: lease.json in the sweep's directory.
            patience: Seconds.
            waiting: Is told, in a sentence, what is being waited for.
            clock: Seconds, from any origin.
            sleep: Waits for so many seconds.

        Raises:
            LeaseHeldError: Another driver runs the sweep: its host, its pid, since when.
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
        """Show that the driver lives. Call it often; it writes at most once a second.

        Raises:
            LeaseLostError: Another driver holds the lease now.
            RecordsError: The lease cannot be written.
        """
        if self._clock() < self._next:
            return
        with _explained(self._path):
            if not self._ours():
                raise LeaseLostError(f"another driver took over {self._path.parent}: this one must stop")
            self._holder = replace(self._holder, counter=self._holder.counter + 1)
            self._write()
        self._next = self._clock() + BEAT_SECONDS

    def release(self) -> None:
        """Give the lease back; nothing happens if another driver holds it.

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
        """Give it back; that this fails does not hide another error."""
        try:
            self.release()
        except RecordsError:
            if error is None:
                raise

    def _ours(self) -> bool:
        holder = _holder(_content(self._path))
        return holder is not None and replace(holder, counter=self._holder.counter) == self._holder

    def _write(self) -> None:
        """Replace the file; without a sync, because nobody asks a lease after a power cut."""
        hidden(self._path).write_text(json.dumps(asdict(self._holder)))
        hidden(self._path).replace(self._path)


def status(path: Path) -> Status:
    """Whether a driver runs the sweep, by one look at lease.json.

    ``ended``: no lease. ``running`` and ``dead``: by the holder's process. ``running?``: the holder cannot be
    seen from here, so only :meth:`Lease.acquire` can tell, by waiting.
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
    """Where our pids mean something: this boot of this machine, this process namespace.

    Host names do not tell machines apart: containers and cloned machines share them.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # no Linux
        return socket.gethostname()


def _process(holder: Holder) -> Literal["runs", "gone", "other"]:
    """What has the holder's pid, in our own place: it, nothing, or perhaps another process.

    "other" is no proof: start times are computed from a clock that may have been set meanwhile.
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
    waiting: Callable[[str], None],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> bool:
    """Whether the holder lives: by its process if that is certain, else by watching the file for a change."""
    holder = _holder(held)
    if holder is not None and holder.place == _place():
        process = _process(holder)
        if process != "other":
            return process == "runs"
    waiting(f"{_held_by(held, path)}. Waiting up to {patience:g} s to see whether it still does")
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
        return f"{path} is held by a driver that does not say who it is"
    minutes = max(0.0, time.time() - holder.started) / 60
    return f"{path.parent} is run by pid {holder.pid} on {holder.host}, since {minutes:.0f} min"


def _holder(content: bytes) -> Holder | None:
    """The holder; None if the content is not a lease's, as after a power cut."""
    try:
        return Holder(**json.loads(content))
    except (ValueError, TypeError):
        return None


def _content(path: Path) -> bytes:
    """What the file holds; nothing if there is no file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Let one process at a time judge the lease and take it, so that two cannot both find it free."""
    with path.with_name(f".{path.name}.lock").open("wb") as file:
        with contextlib.suppress(OSError):  # no locks on this file system: the loser learns it at its first beat
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordsError(f"cannot use the lease {path}: {error.strerror or error}") from error
