"""Ends what an embedded Ray leaves behind when its driver is killed.

Ray's daemons notice the death, but its agents go on for a minute, trying to reach a driver that is gone. So a small
process of ours holds the other end of a pipe: when the driver is gone, the pipe closes, and the reaper kills what
belongs to its Ray session. A process belongs to it if its environment has our mark, as processes that trials start
have, or if it has a log file of the session open: Ray's processes overwrite their environment with a title.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

MARK = "SWEEP_EMBEDDED_RAY"
GRACE_S = 3.0
"""Seconds that Ray has to end on its own."""


class Reaper:
    """The small process; ``watch`` tells it the Ray session, once that is known."""

    def __init__(self, directory: Path, pattern: str) -> None:
        self._mark = os.environ[MARK] = uuid.uuid4().hex
        self._session = ""
        command = [sys.executable, str(Path(__file__)), self._mark, str(directory), pattern]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)

    def watch(self, session: str) -> None:
        """Tell the reaper the directory of the Ray session."""
        self._session = session
        assert self._process.stdin is not None
        self._process.stdin.write(session)
        self._process.stdin.flush()

    def end(self) -> None:
        """End the reaper after Ray was shut down, and the agents that Ray leaves behind if its raylet was killed."""
        del os.environ[MARK]
        self._process.kill()
        self._process.communicate()
        if self._session:
            reap("", self._session)


@contextmanager
def reaped(directory: Path, pattern: str) -> Iterator[Reaper]:
    """No process of a Ray that starts while this is open outlives this process for long.

    Args:
        directory: Where the directory of this process's Ray session will be.
        pattern: Matches its name.
    """
    reaper = Reaper(directory, pattern)
    try:
        yield reaper
    finally:
        reaper.end()


def reap(mark: str, session: str) -> None:
    """Kill every other process that has the mark or a file of the session open; look twice, for those just started."""
    session = os.path.realpath(session) if session else ""  # as the system names open files; macOS links /tmp elsewhere
    for _ in range(2):
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid != os.getpid() and (_marked(process, mark) or _within(process, session)):
                    process.kill()


def _marked(process: psutil.Process, mark: str) -> bool:
    return bool(mark) and process.environ().get(MARK) == mark


def _within(process: psutil.Process, session: str) -> bool:
    return bool(session) and any(file.path.startswith(f"{session}/") for file in process.open_files())


def _session_in(directory: str, pattern: str) -> str:
    """The session of a driver that was killed while it started Ray, and did not say which; "" if none began."""
    return str(max(Path(directory).glob(pattern), default=""))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a SIGTERM to every process of a job is meant for the driver
    session = sys.stdin.read()  # until the driver is gone
    time.sleep(GRACE_S)
    reap(sys.argv[1], session or _session_in(sys.argv[2], sys.argv[3]))
