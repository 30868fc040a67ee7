"""Devices: where to train, how much of a GPU's memory a trial gets, what it takes of it and what it leaves behind.

The one file that asks torch about devices. Apart from ``pick_device`` it imports nothing: as long as nobody has
imported torch, or torch has not begun to use a GPU, there is nothing to measure, and nothing is begun only to look.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from trainables.process import on_import

CONTEXT = 0.5e9
"""Bytes of a GPU that each process takes beside what torch allocates, for the driver's context and the kernels; 0.3 to
0.6e9 are usual. torch's limit knows nothing of them, so a share's limit leaves room for them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """What a process does with its GPUs; of several, the fullest."""

    peak: float  # bytes that torch has held at most since the trial began
    size: float  # bytes of memory of the GPU
    utilisation: float | None = None  # 0 to 1: for how much of the time it was busy, for whomever; None: nobody tells


def pick_device() -> str:
    """ "cuda" if torch sees a CUDA (or ROCm) device, else "mps" on Apple silicon, else "cpu"."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def begin_trial(share: float) -> None:
    """Count peaks anew, and let torch take no more of a GPU than its share; now, or when it is imported.

    Args:
        share: GPUs of the trial. Only less than one is a limit; 0 is none, because such a trial has no GPU.
    """
    on_import.do("torch", "share of GPU memory", lambda: _begin(share))


def _begin(share: float) -> None:
    cuda = sys.modules["torch"].cuda
    if cuda.is_initialized():
        for device in range(cuda.device_count()):
            cuda.reset_peak_memory_stats(device)
    elif not (0 < share < 1 and cuda.is_available()):
        return  # setting the limit of a GPU begins to use it
    fraction = allowed(share, cuda.get_device_properties(0).total_memory)
    cuda.set_per_process_memory_fraction(fraction, 0)


def allowed(share: float, size: float) -> float:
    """The part of a GPU's memory that torch may allocate in a process with this share of it.

    Args:
        share: 0 to 1; what is no share of one GPU is the whole of it.
        size: Bytes of memory of the GPU.
    """
    if not 0 < share < 1:
        return 1.0
    return max(share / 2, share - CONTEXT / size)


def use() -> Use | None:
    """What this process does with its GPUs now; None if it uses none, or it is none of CUDA's (or ROCm's)."""
    cuda = _cuda()
    if cuda is None:
        return None
    peaks = {device: cuda.max_memory_reserved(device) for device in range(cuda.device_count())}
    fullest = max(peaks, key=lambda device: peaks[device])
    utilisation = None
    with suppress(Exception):  # no NVML, a driver that does not tell, a part of a GPU (MIG): whatever is thrown
        utilisation = cuda.utilization(fullest) / 100
    size = cuda.get_device_properties(fullest).total_memory
    return Use(peak=peaks[fullest], size=size, utilisation=utilisation)


def cache() -> Any:
    """What has ``empty_cache()``, to give back the memory that no tensor needs; None if no GPU is in use."""
    torch = sys.modules.get("torch")
    mps = torch.mps if torch is not None and torch.backends.mps.is_available() else None
    return _cuda() or mps


def held() -> float:
    """Bytes of GPU memory in tensors that live in this process."""
    cuda = _cuda()
    return 0.0 if cuda is None else float(sum(cuda.memory_allocated(each) for each in range(cuda.device_count())))


def holders(kind: str = "cuda") -> list[str]:
    """Names in modules that hold tensors on a kind of device, the largest first: "train.CACHE (1.2 GB)"."""
    sizes: dict[str, float] = {}
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            size = sum(each.numel() * each.element_size() for each in _tensors(value) if each.device.type == kind)
            if size:
                sizes[f"{module.__name__}.{name}"] = size
    return [f"{name} ({sizes[name] / 1e9:.1f} GB)" for name in sorted(sizes, key=lambda name: -sizes[name])]


def _tensors(value: Any, deep: bool = True) -> Iterator[Any]:
    """The tensors in a value: itself, a module's parameters, what a container holds."""
    torch: Any = sys.modules["torch"]
    kind = type(value)  # isinstance would have lazy modules load what they stand for
    if issubclass(kind, torch.Tensor):
        yield value
    elif issubclass(kind, torch.nn.Module):
        yield from value.parameters()
    elif deep and issubclass(kind, list | tuple | set | dict):
        for each in list(value.values() if issubclass(kind, Mapping) else value):
            yield from _tensors(each, deep=False)


def _cuda() -> Any:
    """torch.cuda if this process uses it, else None."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None
