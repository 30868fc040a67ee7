"""Random changes of the images of a batch, on its device: moved by some pixels, and mirrored."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

AUGMENTATIONS = ("none", "flip", "crop", "flip_crop")

MOVED = 8
"""An image is moved by up to an eighth of its size: 4 pixels of 32, as He et al. 2016, section 4.2."""


def augmentation(name: str) -> Callable[[Tensor], Tensor] | None:
    """The change that ``augment`` names: images [n, channels, size, size] → the same shape and type.

    ``flip`` mirrors every second image, at random, left to right. ``crop`` moves each by up to an eighth of its size;
    what comes in at an edge repeats the edge. The generator is torch's own of the device.
    """
    if name == "none":
        return None
    flips, moves = "flip" in name, "crop" in name

    def change(images: Tensor) -> Tensor:
        import torch

        count, _, _, size = images.shape
        device = images.device
        there = torch.arange(size, device=device).expand(count, size)
        rows = columns = there
        if flips:
            mirrored = torch.rand(count, 1, device=device) < 0.5
            columns = torch.where(mirrored, size - 1 - columns, columns)
        if moves:
            reach = max(1, size // MOVED)
            by = torch.randint(-reach, reach + 1, (2, count, 1), device=device)
            rows, columns = (rows + by[0]).clamp(0, size - 1), (columns + by[1]).clamp(0, size - 1)
        image = torch.arange(count, device=device)[:, None, None]
        return images.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

    return change
