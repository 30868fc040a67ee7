"""NVML as a machine with GPUs would have it: the real package's errors and constants, and made-up cards behind them."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass

import pynvml


@dataclass(frozen=True, kw_only=True)
class FakeCard:
    uuid: str = "GPU-aaaa0000-1111"
    model: str = "NVIDIA A100-SXM4-40GB"
    slices: Sequence[str] | None = None  # None: MIG is off
    without_mig: int | None = None  # the error with which a GPU or a driver without MIG answers
    lost: bool = False


def fake_nvml(cards: Sequence[FakeCard] = (), *, fails: int | None = None) -> types.ModuleType:
    """A module in place of ``pynvml``.

    Args:
        cards: What is plugged in.
        fails: The error code of ``nvmlInit``; None: it works.
    """
    module = types.ModuleType("pynvml")
    for name in dir(pynvml):
        if name.startswith(("NVMLError", "NVML_")):
            setattr(module, name, getattr(pynvml, name))
    started: list[bool] = []

    def begin() -> None:
        if fails is not None:
            raise pynvml.NVMLError(fails)
        started.append(True)

    def card(index: int) -> FakeCard:
        assert started, "asked before nvmlInit, or after nvmlShutdown"
        if cards[index].lost:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return cards[index]

    def mode(gpu: FakeCard) -> list[int]:
        if gpu.without_mig is not None:
            raise pynvml.NVMLError(gpu.without_mig)
        return [int(gpu.slices is not None)] * 2

    def part(gpu: FakeCard, index: int) -> str:
        if gpu.slices is None or index >= len(gpu.slices):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return gpu.slices[index]

    vars(module).update(
        nvmlInit=begin,
        nvmlShutdown=started.clear,
        nvmlDeviceGetCount=lambda: len(cards),
        nvmlDeviceGetHandleByIndex=card,
        nvmlDeviceGetName=lambda gpu: gpu.model,
        nvmlDeviceGetUUID=lambda gpu: gpu if isinstance(gpu, str) else gpu.uuid,
        nvmlDeviceGetMigMode=mode,
        nvmlDeviceGetMaxMigDeviceCount=lambda gpu: 7,
        nvmlDeviceGetMigDeviceHandleByIndex=part,
    )
    return module
