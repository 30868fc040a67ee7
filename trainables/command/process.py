"""Runs a program in a process group of its own, of which nothing remains, however this process ends.

The group's first process is a guard: a shell that waits for this process to end, by whatever means, and then kills the
group. It also keeps the group's number from being given to others.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import psutil

from trainables.process.linux import adopt_orphans, stands_still

Stream = Literal["stdout", "stderr"]

_GUARD = "trap '' HUP INT TERM; read -r _; kill -KILL 0"
_CHUNK = 65_536  # bytes
_LAST_WORDS_S = 2.0
"""Seconds for which the output of an ended program is read, if processes that it has started hold it open."""
_QUIET_S = 0.2
"""Seconds without output after which an ended program has said everything."""
_HALT_S = 1.0
"""Seconds that a program may take to stand still. One that waits for a disk or for a new process takes long."""
_TURN_S = 0.001


class Process:
    """A program that runs.

    Attributes:
        status: The exit status of the program, or minus the signal that ended it; None while it runs.
        ended_at: When it was seen to have ended, as seconds since the epoch.
    """

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str]) -> None:
        """Start it in the working directory, without input.

        Raises:
            OSError: It cannot be started.
        """
        self.status: int | None = None
        self.ended_at = 0.0
        self._program: subprocess.Popen[bytes] | None = None
        self._selector = selectors.DefaultSelector()
        adopt_orphans()  # a program may go into the background, out of its group
        self._before = _descendants()
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        try:
            self._program = subprocess.Popen(
                arguments,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                process_group=self._guard.pid,
            )
        except BaseException:
            self.kill()
            raise
        for stream, pipe in (("stdout", self._program.stdout), ("stderr", self._program.stderr)):
            assert pipe is not None
            self._selector.register(pipe, selectors.EVENT_READ, stream)

    def read(self, seconds: float) -> list[tuple[Stream, bytes]]:
        """What the program has printed, once there is something; at the latest after some seconds."""
        assert self._program is not None
        found: list[tuple[Stream, bytes]] = []
        if not self._selector.get_map():
            with suppress(subprocess.TimeoutExpired):
                self._program.wait(seconds)
        for key, _ in self._selector.select(seconds) if self._selector.get_map() else ():
            data = os.read(key.fd, _CHUNK)
            if data:
                found.append((key.data, data))
            else:
                self._selector.unregister(key.fileobj)
        if self.status is None and self._program.poll() is not None:
            self.status, self.ended_at = self._program.returncode, time.time()
        return found

    def printed(self) -> Iterator[tuple[Stream, bytes]]:
        """What the program has printed by now."""
        while found := self.read(0):
            yield from found

    def last_words(self) -> Iterator[tuple[Stream, bytes]]:
        """What the program had printed when it ended and is not read yet."""
        until = time.monotonic() + _LAST_WORDS_S
        while self._selector.get_map() and time.monotonic() < until:
            found = self.read(_QUIET_S)
            if not found and self._selector.get_map():
                return
            yield from found

    @contextmanager
    def paused(self) -> Iterator[bool]:
        """Halt the program, and what it has started, while the context is open.

        Yields:
            Whether all of it stands still. SIGSTOP takes effect only once a thread leaves the kernel, and until then it
            may still open, empty or write a file.
        """
        until = time.monotonic() + _HALT_S
        halted: set[psutil.Process] = set()
        guard = {psutil.Process(self._guard.pid)}
        try:
            while started := _descendants() - self._before - guard - halted:  # what stands still starts nothing
                for process in started:
                    with suppress(psutil.Error):
                        process.suspend()
                halted |= started
                while not all(map(stands_still, halted)) and time.monotonic() < until:
                    time.sleep(_TURN_S)
            yield all(map(stands_still, halted))
        finally:
            for process in halted:
                with suppress(psutil.Error):
                    process.resume()

    def writes_in(self, directory: Path) -> set[str]:
        """The files in a directory that the program, or what it has started, has open for writing."""
        found = set()
        for process in _descendants() - self._before:
            with suppress(psutil.Error, OSError):
                for file in process.open_files():
                    if getattr(file, "mode", "w") != "r" and Path(file.path).is_relative_to(directory):
                        found.add(file.path)
        return found

    def end(self, grace_s: float, *, by_itself_s: float = 0.0) -> Iterator[tuple[Stream, bytes]]:
        """Ask the program to end, by SIGTERM to its group; gives what it prints in the seconds that it may take.

        Args:
            grace_s: The seconds that it may take.
            by_itself_s: Those of them after which it gets SIGTERM: it may be about to end by itself.
        """
        began = time.monotonic()
        yield from self._waited_for(began + by_itself_s)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._guard.pid, signal.SIGTERM)
        yield from self._waited_for(began + grace_s)
        yield from self.last_words()

    def _waited_for(self, until: float) -> Iterator[tuple[Stream, bytes]]:
        """What it prints until it has ended, or until then."""
        while self.status is None and (left := until - time.monotonic()) > 0:
            yield from self.read(min(left, _QUIET_S))

    def kill(self) -> None:
        """Kill whatever is left of the program, in its group and outside."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._guard.pid, signal.SIGKILL)
        left = _descendants() - self._before
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()
        if self._program is not None:
            self.status = self._program.wait()
            self._selector.close()
            for pipe in (self._program.stdout, self._program.stderr):
                assert pipe is not None
                pipe.close()
        psutil.wait_procs(left, timeout=1)  # those that this process has adopted


def _descendants() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))
