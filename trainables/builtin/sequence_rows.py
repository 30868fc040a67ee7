"""A table of sequences in order: read, sorted by series and time, with every fault of its order found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.builtin.tabular_columns import is_number
from trainables.data.problems import DataError, DataProblem
from trainables.data.table_file import read_table, require_column

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

IRREGULAR = 1.5
"""A step between two rows that is so many times as long as the usual one, or as many times shorter, is irregular."""


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """The rows of a table, one series after the other, each in the order of time.

    Attributes:
        frame: Every column but those of time and group: numbers, dates, truth values, and text, whatever it was.
        times: Numbers that grow with time, [rows]. Dates are microseconds.
        series: The number of the series of each row, [rows], from 0 and without gaps.
        names: The name of each series; one empty name without a group column.
        warnings: What is odd about them.
    """

    frame: pd.DataFrame
    times: NDArray[Any]
    series: NDArray[np.intp]
    names: tuple[str, ...]
    warnings: tuple[DataProblem, ...] = ()

    @property
    def first(self) -> NDArray[np.intp]:
        """The first row of the series of each row, [rows]."""
        import numpy as np

        starts: NDArray[np.intp] = np.searchsorted(self.series, np.arange(len(self.names)))
        return starts[self.series]

    def without(self, column: str) -> Ordered:
        """The same rows without a column."""
        return replace(self, frame=self.frame.drop(columns=column))

    def only(self, kept: NDArray[np.bool_]) -> Ordered:
        """Only some of the series: bool [series]."""
        import numpy as np

        rows = kept[self.series]
        return replace(
            self,
            frame=self.frame[rows].reset_index(drop=True),
            times=self.times[rows],
            series=(np.cumsum(kept) - 1)[self.series[rows]],
            names=tuple(name for name, keep in zip(self.names, kept, strict=True) if keep),
        )


def ordered(path: Path, *, target: str, time: str, group: str | None = None, ignore: Sequence[str] = ()) -> Ordered:
    """Read a CSV or Parquet file and put its rows in order.

    A row is one step of its series, whatever time has passed since the row before; if steps differ much, the log has a
    warning.

    Args:
        path: A file ending in .csv, .csv.gz, .parquet or .pq.
        target: The column to predict.
        time: The column of the order within a series: numbers, dates, or text in the form of ISO 8601.
        group: The column that tells series apart; None if there is one series.
        ignore: Columns to leave out.

    Raises:
        DataError: A column is missing, a row has no time or no group, or two rows of a series have the same time.
        OSError: The file cannot be read.
    """
    import numpy as np
    import pandas as pd

    frame = read_table(path)
    roles = {"target": target, "time": time} | ({"group": group} if group is not None else {})
    for role, name in roles.items():
        require_column(frame, name, path=path, name=role)
    for name in ignore:
        require_column(frame, name, path=path, name="ignore")
    if target in ignore:
        raise DataError("ignore", f"{target!r} is the target")
    if len(set(roles.values())) < len(roles):
        both = ", ".join(f"{role}: {name}" for role, name in roles.items())
        raise DataError("time", f"{path}: {both}", "three different columns" if group else "two different columns")
    times = _times(frame[time], f"{path}: time {time!r}")
    codes: NDArray[np.intp] = np.zeros(len(frame), dtype=np.intp)
    names: tuple[str, ...] = ("",)
    if group is not None:
        if frame[group].isna().any():
            raise DataError("group", f"{path}: group {group!r}: {_which(frame[group].isna().to_numpy())} none")
        named = frame[group] if is_number(frame[group]) else frame[group].map(str)
        codes, found = pd.factorize(named, sort=True)
        names = tuple(str(name) for name in found)
    order = np.lexsort((times, codes))
    times, codes = times[order], codes[order]
    same = np.flatnonzero((np.diff(times) == 0) & (np.diff(codes) == 0))
    if len(same):
        row = order[same[0]]
        within = "" if group is None else f" of {group}={names[codes[same[0]]]}"
        raise DataError(
            "time",
            f"{path}: time {time!r}: {len(same)} rows have the time of another row{within}, such as"
            f" {str(frame[time].iloc[row])!r}",
            f"one row for each time of a series{'' if group else _what_tells_apart(frame, time, target)}",
        )
    others = frame.drop(columns=list({time, *([group] if group is not None else []), *ignore}))
    for column in [column for column in others if not is_number(others[column])]:
        others[column] = others[column].astype(object).map(str, na_action="ignore")
    others = others.iloc[order].reset_index(drop=True)
    irregular = _irregular_steps(times, codes, f"{path}: time {time!r}")
    return Ordered(frame=others, times=times, series=codes, names=names, warnings=irregular)


def carried(values: NDArray[np.float64], first: NDArray[np.intp]) -> NDArray[np.float64]:
    """Each value, or, where it is missing, the last one before it in its series; NaN before the first one.

    Args:
        values: NaN where missing [rows].
        first: The first row of the series of each row [rows].
    """
    import numpy as np

    last = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    return np.where(last >= first, values[last], np.nan)


def _times(column: pd.Series[Any], where: str) -> NDArray[Any]:
    import numpy as np
    import pandas as pd
    from pandas.api import types

    if column.isna().any():
        raise DataError("time", f"{where}: {_which(column.isna().to_numpy())} none")
    if types.is_integer_dtype(column):
        return column.to_numpy(np.int64)
    if types.is_numeric_dtype(column):
        numbers = column.to_numpy(np.float64)
        if not np.isfinite(numbers).all():
            raise DataError("time", f"{where}: {_which(~np.isfinite(numbers))} no finite one")
        return numbers
    dates = column
    if not is_number(column):
        dates = pd.to_datetime(column.map(str), format="ISO8601", errors="coerce", utc=True)
        if dates.isna().any():
            example = column[dates.isna()].iloc[0]
            raise DataError("time", f"{where}: {str(example)!r} is no time", "numbers, or times as 2024-01-31 12:00")
    if getattr(dates.dt, "tz", None) is not None:
        dates = dates.dt.tz_convert("UTC").dt.tz_localize(None)
    return dates.to_numpy("datetime64[us]").astype(np.int64)


def _which(rows: NDArray[np.bool_]) -> str:
    """ "row 3 has" or "12 rows, the first one row 3, have"; rows are counted from 1, without the header."""
    count, first = int(rows.sum()), int(rows.argmax()) + 1
    return f"row {first} has" if count == 1 else f"{count} rows, of which row {first} is the first, have"


def _what_tells_apart(frame: pd.DataFrame, time: str, target: str) -> str:
    """Which columns may be the group column."""
    found = [
        str(name)
        for name in frame.columns
        if name not in (time, target)
        and 1 < frame[name].map(str).nunique() <= len(frame) / 2
        and not frame[[name, time]].map(str).duplicated().any()
    ]
    return f"; name the column that tells series apart as group: {', '.join(found[:5])}" if found else ""


def _irregular_steps(times: NDArray[Any], series: NDArray[np.intp], where: str) -> tuple[DataProblem, ...]:
    """A warning if steps differ in length."""
    import numpy as np

    steps = np.diff(times)[np.diff(series) == 0]
    usual = float(np.median(steps)) if len(steps) else 0.0
    odd = int(((steps > usual * IRREGULAR) | (steps < usual / IRREGULAR)).sum())
    if not odd:
        return ()
    longest = f"the longest is {float(steps.max()) / usual:.3g} times as long"
    problem = f"{where}: {odd} of {len(steps)} steps are not of the usual length ({longest})"
    allowed = "each row counts as one step, so add empty rows where some are left out"
    return (DataProblem(name="time", problem=problem, allowed=allowed, warning=True),)
