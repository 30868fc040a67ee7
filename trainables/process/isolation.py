"""Prepares and cleans the process between trials, because a worker process trains one trial after another.

What is restored is the list :data:`RESTORED` and nothing else; a trial that leaves anything else behind (open
files, threads, patched modules) needs ``isolation: process``. Nothing here imports torch: what is torch's is looked at
only once somebody else has imported it.
"""

from __future__ import annotations

import gc
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from trainables.process import device
from trainables.process.seeding import seed_all

LEFT = 0.25e9
"""Bytes of GPU memory that may stay taken between two trials: the workspaces of cuBLAS do, and hinder nobody."""


@dataclass(frozen=True, kw_only=True)
class Restored:
    """One thing of the process that is set back after every trial."""

    name: str
    meaning: str
    capture: Callable[[], Any]  # its present value, comparable with ==
    restore: Callable[[Any], object]  # sets it to a captured value
    library: str = ""  # the module it belongs to; it is left alone until that is imported
    at_import: Callable[[], Any] = lambda: None  # its value right after the library's import


def _torch() -> Any:
    return sys.modules["torch"]


def _restore_environ(saved: dict[str, str]) -> None:
    for name in os.environ.keys() - saved.keys():
        del os.environ[name]
    os.environ.update(saved)


def _restore_warnings(saved: list[Any]) -> None:
    warnings.resetwarnings()  # also makes Python forget which warnings it has shown
    warnings.filters[:] = saved  # type: ignore[index]


def _working_directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # the trial has deleted it
        return ""


def _default_device() -> str:
    return str(_torch().get_default_device())


def _restore_default_device(saved: str) -> None:
    _torch().set_default_device(None if saved == "cpu" else saved)  # None: no mode that intercepts each call


def _deterministic() -> tuple[bool, bool]:
    torch = _torch()
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _cudnn() -> tuple[bool, bool]:
    cudnn = _torch().backends.cudnn
    return cudnn.benchmark, cudnn.deterministic


def _restore_cudnn(saved: tuple[bool, bool]) -> None:
    cudnn = _torch().backends.cudnn
    cudnn.benchmark, cudnn.deterministic = saved


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
        name="warning filters",
        meaning="warnings.filterwarnings, simplefilter",
        capture=lambda: list(warnings.filters),
        restore=_restore_warnings,
    ),
    Restored(
        name="garbage collector",
        meaning="gc.disable",
        capture=gc.isenabled,
        restore=lambda enabled: gc.enable() if enabled else gc.disable(),
    ),
    Restored(
        name="numpy error handling",
        meaning="numpy.seterr",
        library="numpy",
        capture=lambda: sys.modules["numpy"].geterr(),
        restore=lambda saved: sys.modules["numpy"].seterr(**saved),
        at_import=lambda: {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"},
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
        name="torch default device",
        meaning="torch.set_default_device",
        library="torch",
        capture=_default_device,
        restore=_restore_default_device,
        at_import=lambda: "cpu",
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
        name="torch determinism",
        meaning="torch.use_deterministic_algorithms, with its warn_only",
        library="torch",
        capture=_deterministic,
        restore=lambda saved: _torch().use_deterministic_algorithms(saved[0], warn_only=saved[1]),
        at_import=lambda: (False, False),
    ),
    Restored(
        name="cudnn flags",
        meaning="torch.backends.cudnn.benchmark and .deterministic",
        library="torch",
        capture=_cudnn,
        restore=_restore_cudnn,
        at_import=lambda: (False, False),
    ),
)
"""What a trial may change without the next one noticing."""


class Isolation:
    """The state of this process as it was when this was made, to return to after every trial.

    Make it once, when the worker has loaded its trainable: what importing that changed is then part of the
    state. Call prepare and restore in the trial's own thread: torch keeps some of its settings per thread.
    """

    def __init__(self) -> None:
        self._saved: dict[str, Any] = {}
        self._held = device.held()
        self._capture_unseen()

    def prepare(self, *, seed: int, threads: int, gpus: float = 0.0) -> None:
        """Make the process ready for a trial: set it back, seed it, give torch its CPU threads and its share of a GPU.

        It is set back here, too, because of what may happen between trials, outside of any.

        Args:
            seed: Seeds random, numpy and torch, the latter two also if the trial is the first to import them.
            threads: CPU threads of the trial; also set as OMP_NUM_THREADS, for what it imports or starts.
            gpus: GPUs of the trial. Of a share of one, torch gets no more than the same share of its memory.
        """
        self._capture_unseen()
        self._set_back()
        seed_all(seed)
        os.environ["OMP_NUM_THREADS"] = str(threads)
        if "torch" in sys.modules and _torch().get_num_threads() != threads:
            _torch().set_num_threads(threads)
        device.begin_trial(gpus)

    def restore(self) -> str:
        """Set back what the trial has changed of :data:`RESTORED`, and free the memory it has left.

        Returns:
            Why the process should not be used again, in words; "" if it can be.
        """
        self._set_back()
        free_memory()
        return left_behind(device.held() - self._held, device.holders)

    def _set_back(self) -> None:
        for thing in _present():
            if thing.name not in self._saved:
                self._saved[thing.name] = thing.at_import()
            if thing.capture() != self._saved[thing.name]:
                thing.restore(self._saved[thing.name])

    def _capture_unseen(self) -> None:
        for thing in _present():
            if thing.name not in self._saved:
                self._saved[thing.name] = thing.capture()


def _present() -> list[Restored]:
    return [thing for thing in RESTORED if not thing.library or thing.library in sys.modules]


def free_memory() -> None:
    """Collect garbage, and give the GPU's cached memory back.

    On the CPU only the young generations are collected (under a millisecond; a full collection takes 10 to 50
    ms with torch imported, and Python runs one of its own when it is due). With a GPU in use it is a full
    one, because a model held by a cycle would keep the memory that the next trial needs.
    """
    gpu = device.cache()
    gc.collect(2 if gpu else 1)
    if gpu:
        gpu.empty_cache()


def left_behind(held: float, holders: Callable[[], list[str]]) -> str:
    """What to say of GPU memory that a trial did not let go of; "" if it is little enough.

    Args:
        held: Bytes, in tensors that still live.
        holders: Finds the names that hold them; is asked only if there is something to be said.
    """
    if held <= LEFT:
        return ""
    names: list[str] = []
    with suppress(Exception):  # whatever a module's attributes throw: the trial has trained well
        names = holders()[:3]
    who = ", ".join(names) or "nothing that a module names; a thread, perhaps"
    return f"{held / 1e9:.1f} GB of GPU memory stay taken after a trial, held by {who}"
