"""Exports the three tables as CSV, for spreadsheets and tools that cannot read Parquet.

The columns are those of results/README.md, except that lists are JSON and each metric has a column of its own.
Times are UTC, nulls are empty, text is quoted, and numbers keep all digits.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.records.paths import SweepPaths

if TYPE_CHECKING:
    import pyarrow as pa


def write(paths: SweepPaths, to: Path, **_: object) -> None:
    """Write trials.csv, metrics.csv and events.csv; see ``target.Write``."""
    from pyarrow.csv import write_csv

    from orchestrator.records.load import events_table, metrics_table, trials_table

    tables = {"trials": trials_table(paths), "metrics": metrics_table(paths), "events": events_table(paths)}
    for name, table in tables.items():
        write_csv(_plain(table), to / f"{name}.csv")


def _plain(table: pa.Table) -> pa.Table:
    """The table with lists as JSON, since CSV has none."""
    import pyarrow as pa

    for at, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            texts = [None if each is None else json.dumps(each) for each in table[field.name].to_pylist()]
            table = table.set_column(at, field.name, pa.array(texts, pa.string()))
    return table
