"""Prepares a process for a trial, and resets it afterwards if other trials are to use it.

Only the list :data:`RESTORED` is reset: `trial.isolation: reuse` is for code that changes nothing else. Nothing here
imports torch: its settings are accessed only after it has been imported.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from trainables.process import device, on_import
from trainables.process.seeding import seed_all

LEFT = 0.25e9
"""Bytes of GPU memory that may stay allocated between two trials, as cuBLAS's workspaces do."""


@dataclass(frozen=True, kw_only=True)
class Restored:
    """One setting of the process that is restored after every trial."""

    name: str
    meaning: str
    capture: Callable[[], Any]  # returns the current value, comparable with ==
    restore: Callable[[Any], object]  # sets a captured value
    library: str = ""  # the module that has the setting; not accessed before its import
    at_import: Callable[[], Any] = lambda: None  # returns the value right after the import of the library


def _torch() -> Any:
    return sys.modules["torch"]


def _restore_environ(saved: dict[str, str]) -> None:
    for name in os.environ.keys() - saved.keys():
        del os.environ[name]
    os.environ.update(saved)


def _working_directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # the trial has deleted it
        return ""


def _has_process_group() -> bool:
    distributed = sys.modules["torch.distributed"]
    return bool(distributed.is_available() and distributed.is_initialized())


def _restore_process_group(there: bool) -> None:
    """End the process group of a trial. One that importing the trainable made, and the trial ended, stays ended."""
    if not there:
        sys.modules["torch.distributed"].destroy_process_group()


RESTORED = (
    Restored(
        name="working directory",
        meaning="os.chdir",
        capture=_working_directory,
        restore=os.chdir,
    ),
    Restored(
        name="environment",
        meaning="os.environ: what the trial set, changed or deleted",
        capture=lambda: dict(os.environ),
        restore=_restore_environ,
    ),
    Restored(
        name="garbage collector",
        meaning="gc.disable",
        capture=gc.isenabled,
        restore=lambda enabled: gc.enable() if enabled else gc.disable(),
    ),
    Restored(
        name="torch threads",
        meaning="torch.set_num_threads",
        library="torch",
        capture=lambda: _torch().get_num_threads(),
        restore=lambda count: _torch().set_num_threads(count),
        at_import=lambda: os.cpu_count() or 1,
    ),
    Restored(
        name="torch default dtype",
        meaning="torch.set_default_dtype",
        library="torch",
        capture=lambda: _torch().get_default_dtype(),
        restore=lambda dtype: _torch().set_default_dtype(dtype),
        at_import=lambda: _torch().float32,
    ),
    Restored(
        name="torch grad mode",
        meaning="torch.set_grad_enabled",
        library="torch",
        capture=lambda: _torch().is_grad_enabled(),
        restore=lambda enabled: _torch().set_grad_enabled(enabled),
        at_import=lambda: True,
    ),
    Restored(
        name="torch process group",
        meaning="torch.distributed.init_process_group, without destroy_process_group",
        library="torch.distributed",
        capture=_has_process_group,
        restore=_restore_process_group,
        at_import=lambda: False,
    ),
)
"""What a trial may change without an effect on the next one."""


def prepare(*, seed: int, threads: int, gpus: float = 0.0) -> None:
    """Prepare a process for a trial: seed, set torch's CPU threads and its share of a GPU.

    Args:
        seed: The seed of random, numpy and torch, even if the trial is the first to import numpy or torch.
        threads: CPU threads of the trial; also set as OMP_NUM_THREADS, for libraries and child processes.
        gpus: GPUs of the trial. A share of a GPU limits torch to that share of its memory.
    """
    seed_all(seed)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    set_torch_threads(threads)
    device.begin_trial(gpus)


def set_torch_threads(threads: int) -> None:
    """Limit torch to this many CPU threads, now or when it is imported."""

    def limit() -> None:
        if _torch().get_num_threads() != threads:
            _torch().set_num_threads(threads)

    on_import.do("torch", "threads", limit)


class Isolation(Protocol):
    """What an attempt does with its process before the training and after it."""

    def prepare(self, *, seed: int, threads: int, gpus: float = 0.0) -> None:
        """Prepare the process for a trial; arguments as of :func:`prepare`."""
        ...

    def restore(self) -> str:
        """Clean up after a trial.

        Returns:
            Why the process should not be used again, in words; "" if it can be used.
        """
        ...


class OwnProcess:
    """For a process that trains one trial and ends: nothing is reset, and what waits for the exit is run.

    Create it right after the fork. Older objects belong to the process that was forked, and their finalizers, such as
    that of a temporary directory, do not run here. torch alone has two hundred, which take 40 ms.
    """

    def __init__(self) -> None:
        for older in list(getattr(weakref.finalize, "_registry", ())):
            older.atexit = False

    def prepare(self, *, seed: int, threads: int, gpus: float = 0.0) -> None:
        """Prepare the process for its trial; arguments as of :func:`prepare`."""
        prepare(seed=seed, threads=threads, gpus=gpus)

    def restore(self) -> str:
        """Run what waits for the exit: executors' ends, then `atexit`. Python's finalization would take much longer.

        Threads that still run are not waited for.
        """
        for function in reversed(getattr(threading, "_threading_atexits", [])):
            function()
        atexit._run_exitfuncs()
        return ""


class SharedProcess:
    """The initial state of this process, to restore after every trial.

    Create it once, after the worker has loaded its trainable, so that changes made by importing the trainable are part
    of the state. Call prepare and restore in the trial's own thread: torch keeps some settings per thread.
    """

    def __init__(self) -> None:
        self._saved: dict[str, Any] = {}
        self._held = device.held()
        self._capture_unseen()

    def prepare(self, *, seed: int, threads: int, gpus: float = 0.0) -> None:
        """Reset the process, because settings may change between trials too, and prepare it as :func:`prepare` does."""
        self._capture_unseen()
        self._reset()
        prepare(seed=seed, threads=threads, gpus=gpus)

    def restore(self) -> str:
        """Restore the settings in :data:`RESTORED` that the trial has changed, and free its memory.

        Returns:
            Why the process should not be used again, in words; "" if it can be used.
        """
        self._reset()
        free_memory()
        return left_behind(device.held() - self._held, device.holders)

    def _reset(self) -> None:
        for setting in _present():
            if setting.name not in self._saved:
                self._saved[setting.name] = setting.at_import()
            if setting.capture() != self._saved[setting.name]:
                setting.restore(self._saved[setting.name])

    def _capture_unseen(self) -> None:
        for setting in _present():
            if setting.name not in self._saved:
                self._saved[setting.name] = setting.capture()


def _present() -> list[Restored]:
    return [each for each in RESTORED if not each.library or each.library in sys.modules]


def free_memory() -> None:
    """Collect garbage, and release the GPU's cached memory.

    Without a GPU, only the young generations are collected: that takes less than a millisecond, where a full collection
    takes 10 to 50 ms with torch imported, and Python runs full ones by itself. With a GPU, the collection is full,
    because a model in a reference cycle would keep the memory that the next trial needs.
    """
    gpu = device.cache()
    gc.collect(2 if gpu else 1)
    if gpu:
        gpu.empty_cache()


def left_behind(held: float, holders: Callable[[], list[str]]) -> str:
    """A message about GPU memory that a trial left allocated; "" if that is little.

    Args:
        held: Bytes in live tensors.
        holders: Finds the names that hold the tensors; called only if the memory is worth a message.
    """
    if held <= LEFT:
        return ""
    names: list[str] = []
    with suppress(Exception):  # a module's attributes may raise anything, which must not fail the trial
        names = holders()[:3]
    holder = ", ".join(names) or "no module attribute, perhaps by a thread"
    return f"a trial left {held / 1e9:.1f} GB of GPU memory allocated, held by {holder}"
