"""Networks for tables: how categories become inputs, and the blocks after that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trainables.builtin.tabular_data import Table

if TYPE_CHECKING:
    from torch import Tensor, nn

CATEGORIES = ("one_hot", "embedding")

BLOCKS = ("mlp", "resnet")


def network(table: Table, config: Mapping[str, Any]) -> nn.Sequential:
    """A network [rows, numbers + categories] → [rows, outputs] with ``layers`` blocks of the same ``width``.

    A block of ``mlp`` is linear, activation, dropout. One of ``resnet`` (Gorishniy et al. 2021, Revisiting Deep
    Learning Models for Tabular Data, section 3.2) adds to its input what norm, linear, activation, dropout, linear make
    of it, with ``expansion`` times as many neurons in between.

    Raises:
        ValueError: ``resnet`` with batches of one row, over which nothing can be normalized.
    """
    from torch import nn

    width, dropout = config["width"], config["dropout"]
    activation = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}[config["activation"]]
    inputs, size = _inputs(table, config["categories"])
    modules: list[nn.Module] = [inputs]
    if config["block"] == "mlp":
        for _ in range(config["layers"]):
            modules += [nn.Linear(size, width), activation(), nn.Dropout(dropout)]
            size = width
    else:
        if config["batch_size"] == 1:
            raise ValueError("block: resnet normalizes over the rows of a batch, so batch_size must be 2 at least")
        modules.append(nn.Linear(size, width))
        inner, size = config["expansion"] * width, width
        modules += [
            _residual(
                nn.BatchNorm1d(width),
                nn.Linear(width, inner),
                activation(),
                nn.Dropout(dropout),
                nn.Linear(inner, width),
            )
            for _ in range(config["layers"])
        ]
        modules += [nn.BatchNorm1d(width), activation()]
    return nn.Sequential(*modules, nn.Linear(size, table.goal.outputs))


def embedding_size(categories: int) -> int:
    """The numbers that an embedding has for a category: 1.6 · categories^0.56, fastai's rule, and no more than
    categories."""
    return min(categories, int(1.6 * math.pow(categories, 0.56) + 0.5))


def _inputs(table: Table, how: str) -> tuple[nn.Module, int]:
    """A module from numbers and codes to numbers alone [rows, size], and the size."""
    from torch import nn

    numbers, counts = len(table.numbers), [len(each) for each in table.categories.values()]
    if not counts:
        return nn.Identity(), numbers
    if how == "one_hot":
        return _one_hot(numbers, counts), numbers + sum(counts)
    return _embeddings(numbers, counts), numbers + sum(map(embedding_size, counts))


def _one_hot(numbers: int, counts: list[int]) -> nn.Module:
    import torch
    from torch import nn

    starts = torch.tensor(counts).cumsum(0) - torch.tensor(counts)

    class OneHot(nn.Module):
        """A column per category, with one 1 at most: code 0 is none of them."""

        starts: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("starts", starts, persistent=False)

        def forward(self, rows: Tensor) -> Tensor:
            codes = rows[:, numbers:].long()
            places = torch.where(codes > 0, codes - 1 + self.starts, sum(counts))
            columns = rows.new_zeros(len(rows), sum(counts) + 1).scatter_(1, places, 1.0)
            return torch.cat([rows[:, :numbers], columns[:, :-1]], dim=1)

    return OneHot()


def _embeddings(numbers: int, counts: list[int]) -> nn.Module:
    import torch
    from torch import nn

    class Embeddings(nn.Module):
        """Numbers for each category that are learnt: zeros for code 0."""

        def __init__(self) -> None:
            super().__init__()
            self.tables = nn.ModuleList(
                nn.Embedding(count + 1, embedding_size(count), padding_idx=0) for count in counts
            )

        def forward(self, rows: Tensor) -> Tensor:
            codes = rows[:, numbers:].long()
            learnt = [table(codes[:, number]) for number, table in enumerate(self.tables)]
            return torch.cat([rows[:, :numbers], *learnt], dim=1)

    return Embeddings()


def _residual(*modules: nn.Module) -> nn.Module:
    from torch import nn

    class Residual(nn.Sequential):
        """Modules whose output is added to their input."""

        def forward(self, rows: Tensor) -> Tensor:
            changed: Tensor = super().forward(rows)
            return rows + changed

    return Residual(*modules)
