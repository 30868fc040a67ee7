"""Reads a table from a CSV or Parquet file, or says why it is none."""

from __future__ import annotations

import difflib
import re
import zlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.data.problems import DataError

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".csv", ".csv.gz", ".parquet", ".pq")
NAMES_SHOWN = 30
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")


def read_table(path: Path, *, name: str = "data") -> pd.DataFrame:
    """The table in a file, with at least one row; names of columns are text.

    Args:
        path: A file ending in .csv, .csv.gz, .parquet or .pq.
        name: The hyperparameter that names the file, for errors.

    Raises:
        DataError: The file is none of these.
        OSError: The file cannot be read.
    """
    import pandas as pd

    refuse_directory(path, name=name)
    if not path.name.endswith(ENDINGS):
        raise DataError(name, f"{path}: the name must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    try:
        if path.name.endswith((".parquet", ".pq")):
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(path, low_memory=False)
    except pd.errors.EmptyDataError:
        frame = pd.DataFrame()
    except UnicodeDecodeError as error:
        raise DataError(name, f"{path}: not UTF-8: {error.reason} at byte {error.start}") from None
    except (pd.errors.ParserError, ValueError, EOFError, zlib.error) as error:
        raise DataError(name, f"{path}: not a table: {' '.join(str(error).split())}") from None
    frame.columns = frame.columns.map(str)
    for column, kind in frame.dtypes.items():
        if kind in ("object", "str"):
            frame[column] = _plain(frame[column])
    only = frame.columns[0] if len(frame.columns) == 1 else ""
    mark = next((mark for mark in (";", "\t", "|") if mark in only), None)
    if mark is not None:
        raise DataError(name, f"{path}: columns are separated by {mark!r}; a CSV file must use commas")
    if frame.empty:
        raise DataError(name, f"{path}: the file has no rows")
    return frame


def refuse_directory(path: Path, *, name: str = "data") -> None:
    """Raise a DataError if the path is that of a directory."""
    if path.is_dir():
        raise DataError(name, f"{path} is a directory", f"a file ending in {', '.join(ENDINGS)}")


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """Decimals as numbers; dates, also as text such as ``2024-01-31 12:00``, as times; other columns as they are."""
    import pandas as pd

    first = next(iter(column.dropna()), None)
    if isinstance(first, Decimal):
        return column.astype(float)
    if isinstance(first, date):
        return pd.to_datetime(column)
    if isinstance(first, str) and _DATE.match(first):
        for utc in (False, True):  # of a place, half of the year differs by an hour from the other
            with suppress(ValueError):
                return pd.to_datetime(column, format="ISO8601", utc=utc)
    return column


def require_column(frame: pd.DataFrame, column: str, *, path: Path, name: str) -> None:
    """Refuse the name of a column that a table does not have.

    Raises:
        DataError: It has none of that name; the error names the nearest one, and all.
    """
    if column not in frame.columns:
        raise DataError(name, f"{path}: no column {column!r}", _columns(column, frame.columns))


def _columns(column: str, there: Iterable[str]) -> str:
    names = list(there)
    near = difflib.get_close_matches(column, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"{hint}columns: {', '.join(names[:NAMES_SHOWN])}{more}"
