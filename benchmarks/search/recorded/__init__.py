"""Real trainings, recorded by `python -m benchmarks.search.record`: the built-in `tabular` on digits and on churn.

The space of a task is a grid, and every cell of it was trained. So whatever a search proposes has a real curve; a model
that interpolates between recorded configurations would be smoother than a training is, and would favour the searches
that are like it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.search.tasks import Config, Curve, Family, Task

HERE = Path(__file__).parent
EPOCHS = 16


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The cells of a task, and what was trained for each.

    Attributes:
        metric: That the trainable reports and the search optimises.
        fixed: The hyperparameters that all cells share, apart from the data.
        values: Those of the grid.
    """

    metric: str
    mode: Literal["min", "max"]
    fixed: Mapping[str, Any]
    values: Mapping[str, Sequence[Any]]

    def cells(self) -> Iterator[Config]:
        """Every cell."""
        for cell in itertools.product(*self.values.values()):
            yield dict(zip(self.values, cell, strict=True))

    def space(self) -> dict[str, Any]:
        """As in a spec. Numbers are ordered, words are not."""
        return {
            name: {"choice": list(values), "ordered": not isinstance(values[0], str)}
            for name, values in self.values.items()
        }


RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)

GRIDS: Mapping[str, Grid] = {
    "digits": Grid(
        metric="val_loss",
        mode="min",
        fixed={"target": "target", "task": "multiclass", "test": 0.0, "data_fraction": 0.25},
        values={
            "lr": RATES,
            "batch_size": (64, 128),
            "width": (16, 64, 128),
            "layers": (1, 2, 3),
            "dropout": (0.0, 0.2),
            "optimizer": ("sgd", "adam"),
        },
    ),
    "churn": Grid(
        metric="val_auroc",
        mode="max",
        fixed={"target": "churn", "data_fraction": 0.1},
        values={
            "lr": RATES,
            "batch_size": (32, 64, 128),
            "width": (16, 64, 128),
            "layers": (1, 2, 3),
            "weight_decay": (1e-5, 1e-2),
            "optimizer": ("sgd", "adam"),
        },
    ),
}
"""A quarter of the training rows of digits, a tenth of those of churn: a training takes a tenth of a second."""


@cache
def family() -> Family:
    """The tasks."""
    return Family(name="recorded", tasks={name: _task(name, grid) for name, grid in GRIDS.items()})


def _task(name: str, grid: Grid) -> Task:
    curves = _curves(name, grid)

    def curve(config: Config) -> Curve:
        return curves[tuple(config[each] for each in grid.values)]

    return Task(name=name, space=grid.space(), curve=curve, steps=EPOCHS, mode=grid.mode)


def _curves(name: str, grid: Grid) -> dict[tuple[Any, ...], Curve]:
    import pyarrow.parquet as pq

    table = pq.read_table(HERE / f"{name}.parquet")
    keys = zip(*(table.column(each).to_pylist() for each in grid.values), strict=True)
    seconds, values = (table.column(each).to_pylist() for each in ("elapsed", "value"))
    return {
        key: {"elapsed": np.array(elapsed), "true": np.array(value)}
        for key, elapsed, value in zip(keys, seconds, values, strict=True)
    }
