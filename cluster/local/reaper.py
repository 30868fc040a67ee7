"""Ends what an embedded Ray leaves behind when its driver is killed.

Ray's own processes notice the death, but its agents go on for a minute, trying to tell a driver that is gone. So a
small process of ours holds the other end of a pipe: when the driver is no more, the pipe closes, and whatever is of
its Ray session is killed: by the mark in its environment, which children of trials have, too, or, because Ray's
processes overwrite theirs with a title, by the session's log files that it has open.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

MARK = "SWEEP_EMBEDDED_RAY"
GRACE_S = 3.0
"""Seconds that Ray has to end by itself."""


class Reaper:
    """The small process. ``watch`` tells it of the Ray session, once that is known."""

    def __init__(self) -> None:
        self._mark = os.environ[MARK] = uuid.uuid4().hex
        self._session = ""
        command = [sys.executable, str(Path(__file__)), self._mark, str(os.getpid())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)

    def watch(self, session: str) -> None:
        """The directory of the Ray session."""
        self._session = session
        assert self._process.stdin is not None
        self._process.stdin.write(session)
        self._process.stdin.flush()

    def end(self) -> None:
        """Ray was shut down. It leaves agents behind if its raylet was killed: they go now."""
        del os.environ[MARK]
        self._process.kill()
        self._process.communicate()
        if self._session:
            reap("", self._session)


@contextmanager
def reaped() -> Iterator[Reaper]:
    """While this is open, no process of the Ray that is started in it outlives this one for long."""
    reaper = Reaper()
    try:
        yield reaper
    finally:
        reaper.end()


def reap(mark: str, session: str) -> None:
    """Kill every other process that has the mark, or a file of the session open; twice, for those just begun."""
    for _ in range(2):
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid != os.getpid() and (_marked(process, mark) or _within(process, session)):
                    process.kill()


def _marked(process: psutil.Process, mark: str) -> bool:
    return bool(mark) and process.environ().get(MARK) == mark


def _within(process: psutil.Process, session: str) -> bool:
    return bool(session) and any(file.path.startswith(f"{session}/") for file in process.open_files())


def _session_of(driver: str) -> str:
    """The session of a driver that was killed while it started Ray: its directory is named after the pid."""
    found = Path(os.environ.get("RAY_TMPDIR", tempfile.gettempdir()), "ray").glob(f"session_*_{driver}")
    return str(max(found, default=""))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # sent to every process of the job, it is meant for the driver
    told = sys.stdin.read()  # until the driver is gone
    time.sleep(GRACE_S)
    reap(sys.argv[1], told or _session_of(sys.argv[2]))
