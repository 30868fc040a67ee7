"""The processes that a trial has started, which are not to outlive it: loaders of data, commands, whatever hangs."""

from __future__ import annotations

import os
from contextlib import suppress

import psutil


class ChildProcesses:
    """What this process starts from now on, and what those start. Made when a trial begins."""

    def __init__(self) -> None:
        self._before = _descendants()

    def kill(self) -> None:
        """Kill those that still live; twice, for what was just being started."""
        for _ in range(2):
            for process in _descendants() - self._before:
                with suppress(psutil.Error):
                    if not _is_tracker(process):
                        process.kill()


def _descendants() -> set[psutil.Process]:
    if hasattr(os, "waitid"):  # macOS has it since Python 3.13
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # there are none: known in a microsecond, where looking takes milliseconds
            return set()
    return set(psutil.Process().children(recursive=True))


def _is_tracker(process: psutil.Process) -> bool:
    """Python's book-keeper of shared memory: one serves all trials of a process, and ends with it."""
    return any("resource_tracker import main" in argument for argument in process.cmdline())
