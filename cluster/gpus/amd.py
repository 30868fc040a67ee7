"""AMD's GPUs, as the Linux kernel's compute driver (KFD) lists them, for where Ray's own count needs a missing package.

The kernel lists integrated graphics too. So these GPUs count only where the installed torch is one for ROCm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

NODES = Path("/sys/class/kfd/kfd/topology/nodes")

VARIABLES = ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES")
"""Each of them that is set leaves of the GPUs only what it names."""


def listed(nodes: Path | None = None) -> int:
    """How many GPUs the kernel's compute driver lists; 0 where there is no such driver.

    Args:
        nodes: The directory that has a directory for each CPU and GPU; None: the system's.
    """
    return sum(simds > 0 for simds in _simds(NODES if nodes is None else nodes))


def _simds(nodes: Path) -> Iterator[int]:
    """Of each node the number of its SIMD units, of which only GPUs have any."""
    for properties in sorted(nodes.glob("*/properties")):
        try:
            lines = properties.read_text().splitlines()
        except OSError:  # a container may not use this GPU
            continue
        yield from (int(line.split()[1]) for line in lines if line.startswith("simd_count "))


def torch_is_for_rocm() -> bool:
    """Whether the installed torch is one for ROCm, by its version; nothing of torch is imported."""
    from importlib import metadata  # 10 ms, and only machines with an AMD GPU get here

    try:
        return "+rocm" in metadata.version("torch")
    except metadata.PackageNotFoundError:
        return False
