"""Reads the configurations of method list from a CSV file: one hyperparameter per column, one configuration per row."""

from __future__ import annotations

import contextlib
import csv
import json
from pathlib import Path as FilePath
from typing import Any

from orchestrator.errors import Place
from orchestrator.yaml.document import Document

_KEY = ("search", "configs")


def read_csv_configs(document: Document, base: FilePath) -> None:
    """Replace the file name in ``search.configs`` with the file's rows, so that the spec is complete without the file.

    Cells are numbers, true, false, lists in brackets, or words; an empty cell leaves its hyperparameter out.
    """
    search = document.data.get("search")
    name = search.get("configs") if isinstance(search, dict) else None
    if not isinstance(name, str) or not isinstance(search, dict) or search.get("method") != "list":
        return
    try:
        with open(base / name, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        document.add(_KEY, f"cannot read {name!r}: {reason}", f"a CSV file, as a path from {base.resolve()}")
        return
    header = [cell.strip() for cell in rows[0]] if rows else []
    if len(set(header)) < len(header):
        document.add(_KEY, f"{name!r} has two columns with the same name")
        return
    order = document.place(_KEY).order
    configs: list[dict[str, Any]] = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(row):
            continue
        path = (*_KEY, len(configs))
        document.places[path] = Place(file=name, line=number, order=order)
        if len(row) > len(header):
            document.add(path, f"{len(row)} cells in a table of {len(header)} columns")
        cells = zip(header, map(str.strip, row), strict=False)
        configs.append({key: _value(cell) for key, cell in cells if cell})
    search["configs"] = configs


def _value(cell: str) -> Any:
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(cell)
    if cell[0] in "+-.0123456789":  # numbers that are not JSON: .5, 1., +1
        with contextlib.suppress(ValueError):
            return float(cell)
    return cell
