"""Keeps the cells of a measurement in benchmarks/results, and writes the tables of docs/search.md from them."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measuring import RESULTS
from benchmarks.search.cells import Cell, Found
from benchmarks.search.compare import against, groups, overview

PAGE = Path(__file__).parents[2] / "docs" / "search.md"
KEPT = RESULTS / "search.parquet"
BEGIN = "<!-- tables: written by python -m benchmarks.search page -->"
END = "<!-- end of tables -->"
OURS, BASE = "auto", "ray:2:3"


def keep(cells: Mapping[Cell, Found]) -> None:
    """Keep these cells instead of those that were kept before."""
    rows = [asdict(cell) | asdict(found) for cell, found in sorted(cells.items())]
    about = {"date": time.strftime("%Y-%m-%d"), "python": platform.python_version(), "cpus": os.cpu_count()}
    table = pa.Table.from_pylist(rows).replace_schema_metadata({"about": json.dumps(about)})
    pq.write_table(table, KEPT, compression="zstd")


def kept() -> dict[Cell, Found]:
    """The cells that are kept."""
    found: dict[Cell, Found] = {}
    for row in pq.read_table(KEPT).to_pylist() if KEPT.exists() else ():
        cell = Cell(**{name: row[name] for name in Cell.__dataclass_fields__})
        lists = {"first": tuple(row["first"]), "regret": tuple(row["regret"])}
        found[cell] = Found(trials=row["trials"], decision_ms=row["decision_ms"], **lists)
    return found


def write(*, check: bool = False) -> bool:
    """Write the tables between the marks in docs/search.md.

    Args:
        check: Change nothing.

    Returns:
        Whether the page is current now.
    """
    text = PAGE.read_text() if PAGE.exists() else f"{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    written = f"{before}{BEGIN}\n{_tables()}{END}{after}"
    if not check:
        PAGE.write_text(written)
    return not check or text == written


def _tables() -> str:
    parts = []
    for group in groups(kept()):
        parts += [f"### {group.title}", _markdown(overview(group, BASE)), _markdown(against(group, OURS))]
    if KEPT.exists():
        about = json.loads(pq.read_schema(KEPT).metadata[b"about"])
        parts.append(f"Measured {about['date']} with Python {about['python']} on {about['cpus']} cores.")
    return "".join(f"\n{part}\n" for part in parts) + "\n" * bool(parts)


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    return "\n".join(["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *body)])
