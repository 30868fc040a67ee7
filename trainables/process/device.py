"""Devices: where to train, and how much GPU memory a trial may use, uses, and leaves allocated.

The one file that asks torch about devices. Only ``pick_device`` imports torch: while a process has not imported torch,
or torch has not initialised a GPU, there is nothing to measure, and measuring must not initialise one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from trainables.process import on_import

CONTEXT = 0.5e9
"""Bytes of GPU memory that a process uses besides torch's allocations, for the driver's context and kernels; usually
0.3e9 to 0.6e9. torch's limit does not include them, so the limit of a share leaves room."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """How a process uses its GPU; of several GPUs, the one with the highest peak."""

    peak: float  # most bytes that torch has reserved since the trial began
    size: float  # bytes of memory of the GPU
    utilisation: float | None = None  # 0 to 1: the fraction of time it was busy, with any process; None: unknown


def pick_device() -> str:
    """ "cuda" if torch sees a CUDA (or ROCm) device, else "mps" on Apple silicon, else "cpu"."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def gpu_of_rank() -> int:
    """The index of the first GPU of this rank among those that the ranks of this node see together."""
    import torch

    visible: int = torch.cuda.device_count()
    return int(os.environ["LOCAL_RANK"]) * (visible // int(os.environ["LOCAL_WORLD_SIZE"]))


def begin_trial(share: float) -> None:
    """Reset peaks, and limit torch to the trial's share of a GPU; now, or as soon as torch is imported.

    Args:
        share: GPUs of the trial. Only a share between 0 and 1 sets a limit; 0 means that the trial has no GPU.
    """
    on_import.do("torch", "share of GPU memory", lambda: _begin(share))


def _begin(share: float) -> None:
    cuda = sys.modules["torch"].cuda
    if cuda.is_initialized():
        for device in range(cuda.device_count()):
            cuda.reset_peak_memory_stats(device)
    elif not (0 < share < 1 and cuda.is_available()):
        return  # setting a limit would initialise the GPU
    fraction = allowed(share, cuda.get_device_properties(0).total_memory)
    cuda.set_per_process_memory_fraction(fraction, 0)


def allowed(share: float, size: float) -> float:
    """The fraction of a GPU's memory that torch may allocate in a process with this share of the GPU.

    Args:
        share: Between 0 and 1; any other value stands for a whole GPU.
        size: Bytes of memory of the GPU.
    """
    if not 0 < share < 1:
        return 1.0
    return max(share / 2, share - CONTEXT / size)


def use() -> Use | None:
    """How this process uses its GPU now; None if torch has not initialised a CUDA (or ROCm) device."""
    cuda = _cuda()
    if cuda is None:
        return None
    peaks = {device: cuda.max_memory_reserved(device) for device in range(cuda.device_count())}
    fullest = max(peaks, key=lambda device: peaks[device])
    utilisation = None
    with suppress(Exception):  # no NVML, a driver without the counter, a MIG slice: each raises an error of its own
        utilisation = cuda.utilization(fullest) / 100
    size = cuda.get_device_properties(fullest).total_memory
    return Use(peak=peaks[fullest], size=size, utilisation=utilisation)


def peak_memory_gb(device: str) -> float:
    """The most memory so far, in GB: on a CUDA device what torch has allocated there since the trial began, otherwise
    what the process has used."""
    cuda = _cuda()
    if cuda is not None and device.startswith("cuda"):
        return float(cuda.max_memory_allocated(device)) / 1e9
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9


def cache() -> Any:
    """torch's module with the ``empty_cache()`` of the device in use; None if no GPU is in use."""
    torch = sys.modules.get("torch")
    mps = torch.mps if torch is not None and torch.backends.mps.is_available() else None
    return _cuda() or mps


def held() -> float:
    """Bytes of GPU memory in live tensors of this process."""
    cuda = _cuda()
    return 0.0 if cuda is None else float(sum(cuda.memory_allocated(each) for each in range(cuda.device_count())))


def holders(kind: str = "cuda") -> list[str]:
    """Module attributes that hold tensors on a kind of device, the largest first: "train.CACHE (1.2 GB)"."""
    sizes: dict[str, float] = {}
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            size = sum(each.numel() * each.element_size() for each in _tensors(value) if each.device.type == kind)
            if size:
                sizes[f"{module.__name__}.{name}"] = size
    return [f"{name} ({sizes[name] / 1e9:.1f} GB)" for name in sorted(sizes, key=lambda name: -sizes[name])]


def _tensors(value: Any, deep: bool = True) -> Iterator[Any]:
    """The tensors in a value: the value itself, a module's parameters, a container's items."""
    torch: Any = sys.modules["torch"]
    kind = type(value)  # isinstance would make lazy modules load
    if issubclass(kind, torch.Tensor):
        yield value
    elif issubclass(kind, torch.nn.Module):
        yield from value.parameters()
    elif deep and kind in (list, tuple, set, dict):  # a subclass may load what it holds, as those of transformers do
        for each in list(value.values() if kind is dict else value):
            yield from _tensors(each, deep=False)


def _cuda() -> Any:
    """torch.cuda if torch has initialised a GPU in this process, else None."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None
