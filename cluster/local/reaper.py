"""Ends what an embedded Ray leaves behind when its driver is killed.

Ray's daemons notice the death, but its agents go on for a minute, trying to reach a driver that is gone. So a small
process of ours holds the other end of a pipe: when the driver is gone, the pipe closes, and the reaper kills what
belongs to its Ray. A process belongs to it if its environment has our mark, as processes that trials start have, or if
it has a log file in Ray's directory open: Ray's processes overwrite their environment with a title.
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
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:  # this file is also run by itself
    from cluster.local.scratch import Scratch

MARK = "SWEEP_EMBEDDED_RAY"
GRACE_S = 3.0
"""Seconds that Ray has to end on its own."""


@contextmanager
def reaped(directory: Scratch) -> Iterator[None]:
    """No process of a Ray that starts while this is open outlives this process for long.

    Args:
        directory: Where Ray will have its session. The reaper keeps it locked until it has done its work.
    """
    mark = os.environ[MARK] = uuid.uuid4().hex
    command = [sys.executable, __file__, mark, str(directory.path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, pass_fds=[directory.lock])
    try:
        yield
    finally:  # Ray was shut down, but for the agents that it leaves behind if its raylet was killed
        del os.environ[MARK]
        process.kill()
        process.communicate()
        reap("", directory.path)


def reap(mark: str, directory: Path) -> None:
    """Kill every other process that has the mark or a file in the directory open; look twice, for those just started.

    Args:
        mark: The value of MARK in the environment; "": whatever it is.
        directory: Of one Ray.
    """
    real = os.path.realpath(directory)  # as the system names open files; macOS links /tmp elsewhere
    for _ in range(2):
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid != os.getpid() and (_marked(process, mark) or _within(process, real)):
                    process.kill()


def _marked(process: psutil.Process, mark: str) -> bool:
    return bool(mark) and process.environ().get(MARK) == mark


def _within(process: psutil.Process, directory: str) -> bool:
    return any(file.path.startswith(f"{directory}/") for file in process.open_files())


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a SIGTERM to every process of a job is meant for the driver
    sys.stdin.read()  # until the driver is gone
    time.sleep(GRACE_S)
    reap(sys.argv[1], Path(sys.argv[2]))
