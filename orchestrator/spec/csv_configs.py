"""Reads the configurations of method list from a CSV file: one hyperparameter per column, one configuration per row."""

from __future__ import annotations

import ast
import contextlib
import csv
import json
import re
from pathlib import Path as FilePath
from typing import Any

from orchestrator.errors import Place
from orchestrator.yaml.document import Document

_KEY = ("search", "configs")
_BOOLS = {"true": True, "false": False}
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""Numbers, also those that are not JSON (.5, 1., +1); 001 and 1_000 are text."""


def read_csv_configs(document: Document, base: FilePath) -> None:
    """Replace the file name in ``search.configs`` with the file's rows, so that the spec is complete without the file.

    Cells are numbers, true, false, lists in brackets, or words; an empty cell leaves its hyperparameter out. What
    pandas writes is read as it was meant: ``True``, lists of Python, whole numbers with ``.0`` because another cell is
    empty, and the numbers of the rows in a first column without a name.
    """
    search = document.data.get("search")
    name = search.get("configs") if isinstance(search, dict) else None
    if not isinstance(name, str) or not isinstance(search, dict) or search.get("method") != "list":
        return
    try:
        if (base / name).exists() and not (base / name).is_file():  # a pipe is waited for, and a device has no end
            raise ValueError("it is not a regular file")
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
    filled = [(number, row) for number, row in enumerate(rows[1:], start=2) if any(row)]
    unnamed = _numbers_rows(header, [row for _, row in filled])
    for number, row in filled:
        path = (*_KEY, len(configs))
        document.places[path] = Place(file=name, line=number, order=order)
        if len(row) > len(header):
            document.add(path, f"{len(row)} cells in a table of {len(header)} columns")
        cells = zip(header[unnamed:], map(str.strip, row[unnamed:]), strict=False)
        configs.append({key: _value(cell) for key, cell in cells if cell})
    for name in header:
        _restore_integers(configs, name)
    search["configs"] = configs


def _numbers_rows(header: list[str], rows: list[list[str]]) -> bool:
    """Whether the first column is pandas' index: it has no name, and numbers the rows."""
    return header[:1] == [""] and [row[0] for row in rows] == list(map(str, range(len(rows))))


def _restore_integers(configs: list[dict[str, Any]], name: str) -> None:
    """Turn whole floats into integers if some configurations lack the hyperparameter: pandas has no empty integer."""
    having = [config for config in configs if name in config]
    if len(having) < len(configs) and all(
        isinstance(config[name], float) and config[name].is_integer() for config in having
    ):
        for config in having:
            config[name] = int(config[name])


def _value(cell: str) -> Any:
    if cell.lower() in _BOOLS:
        return _BOOLS[cell.lower()]
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(cell)
    if _NUMBER.fullmatch(cell):
        return float(cell)
    if cell[0] in "[(":
        with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            value = ast.literal_eval(cell)
            return _lists(value) if isinstance(value, list | tuple) else cell
    return cell


def _lists(value: Any) -> Any:
    """A value in which tuples are lists, as in specs."""
    return [_lists(each) for each in value] if isinstance(value, list | tuple) else value
