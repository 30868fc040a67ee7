"""Examples as the training loop takes them: any number of rows at once, by their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

DEVICE_SHARE = 0.25
"""The share of a GPU's free memory that a part of the data may take; a larger part stays in the machine's memory."""


class Examples(Protocol):
    """Examples, numbered from 0."""

    def __len__(self) -> int:
        """How many there are."""

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The inputs [rows, …] and targets [rows, …] of some of them, on the device of the training.

        Args:
            rows: int64 [rows], on the CPU.
        """


@dataclass(frozen=True, kw_only=True)
class Tensors:
    """Examples in two tensors: ``inputs`` [examples, …] as the model takes them, ``targets`` [examples, …] as the task
    does. A batch is an index into them: no DataLoader.

    Attributes:
        device: Where batches go. The tensors may be elsewhere, as views of a file, or because the GPU has no room.
    """

    inputs: Tensor
    targets: Tensor
    device: str = "cpu"

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, part: slice) -> Tensors:
        """A part of the examples, in their order."""
        return replace(self, inputs=self.inputs[part], targets=self.targets[part])

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The inputs and targets of these rows."""
        there = rows.to(self.inputs.device)
        return self.inputs[there].to(self.device), self.targets[there].to(self.device)

    def on(self, device: str) -> Tensors:
        """The same examples for a training on that device, and moved there at once unless they are too many."""
        size = sum(each.numel() * each.element_size() for each in (self.inputs, self.targets))
        if not has_room(device, size):
            return replace(self, device=device)
        return Tensors(inputs=self.inputs.to(device), targets=self.targets.to(device), device=device)


def has_room(device: str, size: int) -> bool:
    """Whether so many bytes are few for a device."""
    import torch

    if not device.startswith("cuda"):
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return size <= DEVICE_SHARE * float(free)


def in_order(examples: Examples, rows_at_once: int) -> Iterator[tuple[Tensor, Tensor]]:
    """All examples, in batches."""
    import torch

    for rows in torch.arange(len(examples)).split(rows_at_once):
        yield examples.batch(rows)


def in_batches(order: Tensor, batch_size: int) -> list[Tensor]:
    """The rows of each update; the last may have fewer. A single one joins those before: batch norm needs two."""
    import torch

    batches = list(order.split(batch_size))
    if len(batches) > 1 and len(batches[-1]) == 1 < batch_size:
        last = batches.pop()
        batches[-1] = torch.cat([batches[-1], last])
    return batches


@dataclass(frozen=True, kw_only=True)
class Subset:
    """Some of the examples, by their numbers, without a copy.

    Attributes:
        rows: int64 [rows], on the CPU.
    """

    examples: Examples
    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The inputs and targets of these rows of the subset."""
        return self.examples.batch(self.rows[rows])


def sample(examples: Examples, size: int) -> Examples:
    """So many of the examples, evenly spaced; all if there are not more."""
    import torch

    if len(examples) <= size:
        return examples
    return Subset(examples=examples, rows=torch.arange(size) * len(examples) // size)
