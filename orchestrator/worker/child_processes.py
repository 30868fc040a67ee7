"""Kills the processes that a trial started and that outlive the trial: data loaders, commands, hanging ones."""

from __future__ import annotations

import os
from contextlib import suppress

import psutil


class ChildProcesses:
    """All descendants that this process starts from now on. Created when a trial begins."""

    def __init__(self) -> None:
        self._before = descendants()

    def kill(self) -> None:
        """Kill the descendants that still run; twice, to catch processes that were just starting."""
        for _ in range(2):
            for process in descendants() - self._before:
                with suppress(psutil.Error):
                    if not _is_tracker(process):
                        process.kill()


def descendants() -> set[psutil.Process]:
    """All processes that this one has started, and those that they have; quick if there are none."""
    if hasattr(os, "waitid"):  # macOS has it since Python 3.13
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # no children: this takes a microsecond, listing them takes milliseconds
            return set()
    return set(psutil.Process().children(recursive=True))


def _is_tracker(process: psutil.Process) -> bool:
    """Whether a process is Python's tracker of shared memory, which serves all trials of this process."""
    return any("resource_tracker import main" in argument for argument in process.cmdline())
