"""Exports the three tables as CSV, for spreadsheets and tools that cannot read Parquet.

The columns are those of results/README.md, except that each metric in ``extra`` gets its own column and lists are JSON.
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
    """The table without list and map columns, which CSV lacks."""
    import pyarrow as pa

    for at, field in reversed(list(enumerate(table.schema))):
        if pa.types.is_map(field.type):
            found = [dict(entries or ()) for entries in table[field.name].to_pylist()]
            table = table.remove_column(at)
            for name in dict.fromkeys(name for entries in found for name in entries):
                table = table.append_column(_free(name, table), pa.array([entries.get(name) for entries in found]))
        elif pa.types.is_list(field.type):
            texts = [None if each is None else json.dumps(each) for each in table[field.name].to_pylist()]
            table = table.set_column(at, field.name, pa.array(texts, pa.string()))
    return table


def _free(name: str, table: pa.Table) -> str:
    """A column name for a metric, prefixed if it clashes with an existing column."""
    return f"extra.{name}" if name in table.schema.names else name
