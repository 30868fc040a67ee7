"""NVIDIA's GPUs, as the driver's library (NVML) lists them, and which of them CUDA_VISIBLE_DEVICES lets a process use.

A GPU in MIG mode is no device any more: its slices are. CUDA uses one slice a process, so each counts as one GPU.
NVML works wherever CUDA does, in containers and under WSL2 too, and takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

VARIABLE = "CUDA_VISIBLE_DEVICES"

LEGACY = "MIG-GPU-"
"""How drivers before R470 named slices: MIG-GPU-<the GPU's UUID>/<GPU instance>/<compute instance>."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """One GPU in its slot."""

    uuid: str  # GPU-…
    model: str  # "NVIDIA A100-SXM4-40GB"
    slices: tuple[str, ...] | None = None  # the UUIDs of its MIG slices; None: MIG is off

    @property
    def devices(self) -> tuple[str, ...]:
        """What CUDA can use of it: itself, or its slices."""
        return (self.uuid,) if self.slices is None else self.slices


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What NVML answered."""

    cards: tuple[Card, ...] = ()
    failure: str = ""  # why NVML does not list the cards, or not all of them; "" where there is no driver


@cache
def listed() -> Listing:
    """All GPUs of this machine or container, in the driver's order. Asked once a process: what is plugged in stays."""
    try:
        import pynvml
    except ImportError:  # macOS has neither the package nor such GPUs
        return Listing()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        absent = (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
        return Listing(failure="" if error.value in absent else str(error))
    try:
        return _cards(pynvml)
    except pynvml.NVMLError as error:
        return Listing(failure=str(error))
    finally:
        pynvml.nvmlShutdown()


def _cards(nvml: Any) -> Listing:
    cards, failures = [], []
    for index in range(nvml.nvmlDeviceGetCount()):
        try:
            gpu = nvml.nvmlDeviceGetHandleByIndex(index)
            model, uuid = nvml.nvmlDeviceGetName(gpu), nvml.nvmlDeviceGetUUID(gpu)
            slices = tuple(_slices(nvml, gpu)) if _in_mig_mode(nvml, gpu) else None
        except nvml.NVMLError as error:  # such a GPU is of no use to CUDA either
            failures.append(f"GPU {index}: {error}")
        else:
            cards.append(Card(uuid=uuid, model=model, slices=slices))
    return Listing(cards=tuple(cards), failure="; ".join(failures))


def _in_mig_mode(nvml: Any, gpu: Any) -> bool:
    try:
        current, _ = nvml.nvmlDeviceGetMigMode(gpu)
    except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound):  # this GPU, or this driver, has no MIG
        return False
    return bool(current == nvml.NVML_DEVICE_MIG_ENABLE)


def _slices(nvml: Any, gpu: Any) -> Iterator[str]:
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(gpu)):
        try:
            yield nvml.nvmlDeviceGetUUID(nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, index))
        except nvml.NVMLError_NotFound:  # fewer slices than there could be
            return


def visible(cards: Sequence[Card], chosen: str | None) -> tuple[str, ...]:
    """The devices that CUDA lets a process use, by UUID.

    Args:
        cards: All there are.
        chosen: The value of CUDA_VISIBLE_DEVICES, by index or by UUID, which may be shortened; None: it is not set.
            As in CUDA, an entry that names no device ends the list, so "-1" and "" hide all.
    """
    if chosen is None:
        return tuple(device for card in cards for device in card.devices)
    found: list[str] = []
    for entry in chosen.split(","):
        device = _named(entry.strip(), cards)
        if device is None or device in found:
            break
        found.append(device)
    return tuple(found)


def _named(entry: str, cards: Sequence[Card]) -> str | None:
    """The device that an entry names, None if there is no such device. A GPU in MIG mode stands for its first slice."""
    if entry.isdecimal():
        own = cards[int(entry)].devices if int(entry) < len(cards) else ()
        return own[0] if own else None
    if entry.startswith("GPU-"):
        matching = [card.devices for card in cards if card.uuid.startswith(entry)]
        return matching[0][0] if len(matching) == 1 and matching[0] else None
    slices = [each for card in cards for each in card.slices or ()]
    if entry.startswith(LEGACY):
        sliced = [card.uuid for card in cards if card.slices]
        return entry if entry.removeprefix("MIG-").partition("/")[0] in sliced else None
    fitting = [each for each in slices if entry.startswith("MIG-") and each.startswith(entry)]
    return fitting[0] if len(fitting) == 1 else None


def accelerator_type(model: str) -> str:
    """As Ray (2.60) shortens it: "NVIDIA A100-SXM4-40GB" is A100, "NVIDIA GeForce RTX 5090" is GeForce-RTX-5090."""
    words = model.split()[1:]
    short = []
    for word in (word.partition("-")[0] for word in words):
        if word != word.upper():
            break
        short.append(word)
        if any(letter.isdigit() for letter in word):
            return "-".join(short)
    return "-".join(words)
