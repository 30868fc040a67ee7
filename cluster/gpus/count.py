"""How many GPUs an embedded Ray is to have, as Ray would count them, MIG slices as what they are.

NVML counts NVIDIA's GPUs. Where there may be others, Ray's own managers of accelerators are asked, for which Ray has to
be imported. Ray is then started with this number, so that a plan and its launch agree.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import takewhile

from cluster.errors import ClusterError
from cluster.gpus import amd, nvidia
from cluster.ray_private import accelerators


@dataclass(frozen=True, kw_only=True)
class Gpus:
    """What was counted."""

    number: int = 0
    accelerator: str = ""  # their type, as Ray names it; "": none, or Ray does not know it
    by: str = "NVML"  # who counted
    sliced: bool = False  # some are MIG slices, of which a process sees one
    settings: Mapping[str, str] = field(default_factory=dict)  # environment by which Ray tells them apart
    failure: str = ""  # what keeps the count from being certain


def gpus() -> Gpus:
    """The GPUs that this process, and a Ray started in it, may use. Milliseconds for NVIDIA's, a second for others.

    Raises:
        ClusterError: Ray would refuse to start with what the environment says of GPUs.
    """
    listing = nvidia.listed()
    if not _may_have_others():
        return _nvidia(listing)
    others = accelerators.others()
    if others is not None:
        number = others.number if others.visible is None else min(others.number, _named(others.visible))
        return Gpus(number=number, accelerator=others.accelerator, by=others.by)
    if listing.cards or not (kfd := amd.listed()) or not amd.torch_is_for_rocm():
        return _nvidia(listing)
    for variable in amd.VARIABLES:
        if (chosen := os.environ.get(variable)) is not None:
            kfd = min(kfd, _named(chosen.split(",")))
    return Gpus(number=kfd, by="the kernel", failure="Ray finds no AMD GPU without the package amdsmi")


def _nvidia(listing: nvidia.Listing) -> Gpus:
    chosen = os.environ.get(nvidia.VARIABLE)
    devices = nvidia.visible(listing.cards, chosen)
    sliced = any(device.startswith("MIG-") for device in devices)
    settings = {nvidia.VARIABLE: ",".join(devices)} if sliced and chosen is None else {}
    return Gpus(
        number=len(devices),
        accelerator=nvidia.accelerator_type(listing.cards[0].model) if listing.cards else "",
        sliced=sliced,
        settings=settings,
        failure=listing.failure,
    )


def _may_have_others() -> bool:
    """Whether it is worth a second to ask Ray for other GPUs than NVIDIA's."""
    apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    return apple or amd.listed() > 0 or any(find_spec(package) is not None for package in ("dpctl", "pymxsml"))


def _named(entries: Iterable[str]) -> int:
    """How many devices a list names before the first entry that names none, which hides the rest."""
    return len(tuple(takewhile(lambda entry: entry.strip() not in ("", "-1"), entries)))


def check_pretended(asked: float) -> None:
    """See that Ray can be started with so many GPUs, which may be more than there are.

    Raises:
        ClusterError: CUDA_VISIBLE_DEVICES is set and names fewer: Ray refuses that.
    """
    chosen = os.environ.get(nvidia.VARIABLE)
    if chosen is not None and asked > (named := len(chosen.split(",")) if chosen else 0):
        raise ClusterError(f"{asked:g} GPUs requested, but {nvidia.VARIABLE}={chosen!r} leaves only {named} visible")
