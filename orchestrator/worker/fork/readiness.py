"""Whether a process can be forked: what a fork would break, in words that tell what to do."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

HARMLESS = frozenset({"jemalloc_bg_thd"})
"""Native threads whose libraries prepare for a fork: the allocator of pyarrow."""

UNPREPARED = frozenset({"grpc", "jax", "polars", "tensorflow"})
"""Libraries whose threads do not survive a fork."""

GPU_DEVICES = frozenset({"/dev/nvidia-uvm", "/dev/kfd"})
"""What CUDA and ROCm open when they are initialised, and NVML, which only looks at the GPUs, does not."""


def cannot_fork(culprit: str) -> str:
    """Why this process must not be forked; "" if it can be.

    Args:
        culprit: What has been imported, for the message.
    """
    if sys.platform != "linux":
        return f"{sys.platform} does not support it"  # macOS's own libraries abort in a forked process
    if threads := [each.name for each in threading.enumerate() if each is not threading.main_thread()]:
        return f"importing {culprit} starts a thread ({threads[0]})"
    if _gpu_in_use():
        return f"importing {culprit} uses the GPU"
    if len(threads := _native_threads()) > _threads_of_arrow():
        return f"importing {culprit} starts a thread of a library ({threads[0]})"
    return ""


def _gpu_in_use() -> bool:
    """Whether torch or another library has initialised CUDA or ROCm here: they cannot be used after a fork."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return True
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if os.readlink(descriptor) in GPU_DEVICES:
                return True
    return False


def _native_threads() -> list[str]:
    """The names of the process's threads besides the main one, without those that fork well."""
    if pid := os.fork():  # OpenBLAS ends its threads before a fork, and starts them again when they are needed
        os.waitpid(pid, 0)
    else:
        os._exit(0)
    names = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            if int(task.name) != os.getpid():
                names.append((task / "comm").read_text().strip())
    return [name for name in names if name not in HARMLESS]


def _threads_of_arrow() -> int:
    """How many native threads can be those of pyarrow, with which it reads Parquet: it starts them anew after a fork.

    None, if they can also be of a library that does not: OpenMP has threads unless it is limited to one.
    """
    arrow = sys.modules.get("pyarrow")
    if arrow is None or UNPREPARED & sys.modules.keys() or os.environ.get("OMP_NUM_THREADS") != "1":
        return 0
    return int(arrow.cpu_count() + arrow.io_thread_count())
