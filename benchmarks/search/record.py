"""Trains every cell of the recorded tasks on one core and keeps the curves: about ten minutes.

    python -m benchmarks.search.record [digits] [churn]

Seconds are of the processor, so that what else the machine does is not recorded.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.search.recorded import EPOCHS, GRIDS, HERE, Grid
from benchmarks.search.tasks import Config
from orchestrator import Trial

CHURN = Path(__file__).parents[2] / "examples" / "data" / "telco_churn.csv"


def main(names: list[str]) -> None:
    """Record tasks."""
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as directory:
        for name in names or GRIDS:
            data = CHURN if name == "churn" else write_digits(Path(directory))
            _record(name, GRIDS[name], data)


def write_digits(directory: Path) -> Path:
    """scikit-learn's digits as a table."""
    from sklearn.datasets import load_digits

    path = directory / "digits.csv"
    load_digits(as_frame=True).frame.to_csv(path, index=False)
    return path


def _record(name: str, grid: Grid, data: Path) -> None:
    rows = []
    began = time.monotonic()
    _train(grid, data, next(grid.cells()))  # the first training imports torch and reads the table
    for number, cell in enumerate(grid.cells(), 1):
        elapsed, value = _train(grid, data, cell)
        rows.append({**cell, "elapsed": elapsed, "value": value})
        if number % 100 == 0:
            print(f"{name}: {number} cells in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    table = pa.Table.from_pylist(rows)
    for column in ("elapsed", "value"):
        at = table.column_names.index(column)
        table = table.set_column(at, column, table.column(column).cast(pa.list_(pa.float32())))
    pq.write_table(table, HERE / f"{name}.parquet", compression="zstd")


def _train(grid: Grid, data: Path, cell: Config) -> tuple[list[float], list[float]]:
    """The seconds and the metric after each epoch."""
    from trainables.builtin.tabular import train

    config = {"data": str(data), "epochs": EPOCHS, **grid.fixed, **cell}
    began = time.process_time()
    trial = Trial(config=config, seed=0, train_s=lambda: time.process_time() - began)
    train(config, trial)
    return [report.train_s for report in trial.history], [report.metrics[grid.metric] for report in trial.history]


if __name__ == "__main__":
    main(sys.argv[1:])
