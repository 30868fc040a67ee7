"""What Linux offers so that no process is left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

import psutil

_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36


def end_with_parent() -> None:
    """Have this process killed when the process that forked it ends."""
    parent = os.getppid()
    _prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended meanwhile
        os._exit(1)


def outlive_parent() -> None:
    """Undo :func:`end_with_parent`."""
    _prctl(_SET_PDEATHSIG, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, instead of process 1."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def children() -> set[int]:
    """The children of this process, which has one thread; those that have ended too, until they are waited for."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:  # a kernel may lack it
            return {int(pid) for pid in file.read().split()}
    except FileNotFoundError:
        return {process.pid for process in psutil.Process().children()}


def stands_still(process: psutil.Process) -> bool:
    """Whether a process that was sent SIGSTOP has been halted, with all its threads, or is gone."""
    if sys.platform != "linux":
        try:
            return process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return True
    threads = f"/proc/{process.pid}/task"
    try:
        return all(_state(f"{threads}/{thread}/stat") in "TtZX" for thread in os.listdir(threads))
    except OSError:
        return True


def _state(stat: str) -> str:
    """The state of a thread, as the letter in its ``/proc/…/stat`` (proc(5)); X once it is gone."""
    try:
        with open(stat) as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
