"""The columns of a table: numbers or text, and which task the target sets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trainables.data.problems import FEW, DataProblem
from trainables.supervised.tasks import TaskName

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MAX_CATEGORIES = 50  # per text column; the rarest categories share one
MAX_WHOLE_NUMBERS = 20  # a target with more distinct whole numbers is a quantity, not a class
LARGEST = 1e100
MISSING = "(missing)"


def is_number(column: pd.Series[Any]) -> bool:
    """Whether a column holds numbers; booleans and times count as numbers."""
    from pandas.api import types

    return types.is_numeric_dtype(column) or types.is_datetime64_any_dtype(column)


def numbers(column: pd.Series[Any]) -> NDArray[Any]:
    """The values as float64 [rows]; NaN where one is missing or infinite. Times are seconds since 1970.

    What is larger than 1e100 becomes 1e100, so that squares stay finite.
    """
    import numpy as np
    from pandas.api import types

    if types.is_datetime64_any_dtype(column):
        return np.where(column.isna(), np.nan, column.to_numpy("datetime64[us]").astype(np.int64) / 1e6)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), np.clip(values, -LARGEST, LARGEST), np.nan)


def has_value(column: pd.Series[Any]) -> NDArray[Any]:
    """Which rows have a value: bool [rows]."""
    import numpy as np

    return np.isfinite(numbers(column)) if is_number(column) else column.notna().to_numpy()


def without(name: object) -> str:
    """The line of a spec that leaves out a column."""
    return f"ignore: {json.dumps([str(name)], ensure_ascii=False)}"


def gaps(frame: pd.DataFrame, path: Path, instead: str) -> Iterator[DataProblem]:
    """A warning that names the columns with missing or infinite values.

    Args:
        frame: The columns.
        path: Of their file.
        instead: What stands in for such a value.
    """
    missing = {str(name): int((~has_value(column)).sum()) for name, column in frame.items()}
    found = [f"{name!r} in {count:,}" for name, count in missing.items() if count]
    if found:
        more = [f"{len(found) - FEW} more columns"] if len(found) > FEW else []
        columns = ", ".join([*found[:FEW], *more])
        problem = f"{path}: values are missing, of {len(frame):,} rows: {columns}; {instead}"
        yield DataProblem(name="data", problem=problem, warning=True)


def read_target(column: pd.Series[Any], task: str) -> tuple[TaskName, NDArray[Any], tuple[Any, ...]]:
    """The task, the target [rows] as class numbers (a regression: as it is), and the classes in order.

    Args:
        column: The target, without missing values.
        task: One of the three tasks, or "auto" to find it.

    Raises:
        ValueError: The column does not suit the task.
    """
    import pandas as pd

    values = numbers(column) if is_number(column) else None
    try:
        different = column.nunique()
    except TypeError:
        raise ValueError(f"its values are of type {type(column.iloc[0]).__name__}, not numbers or text") from None
    if different < 2:
        raise ValueError(f"{len(column)} rows with {different} distinct values: nothing to learn")
    if task == "auto":
        if values is None and different > MAX_WHOLE_NUMBERS and _share_of_numbers(column) > 0.5:
            raise ValueError(
                f"most values are numbers, {_text_in(column)!r} is none; if these are classes, say so by task"
            )
        quantity = values is not None and (different > MAX_WHOLE_NUMBERS or (values % 1).any())
        task = "regression" if quantity else "binary" if different == 2 else "multiclass"
    if task == "regression":
        if values is None:
            raise ValueError(f"a regression needs numbers; the column has text, such as {_text_in(column)!r}")
        return "regression", values, ()
    if task == "binary" and different != 2:
        raise ValueError(f"a binary task needs two values; the column has {different}")
    if different > len(column) / 2:
        text = f", and {_text_in(column)!r} is no number" if values is None else ""
        raise ValueError(f"{different} distinct values in {len(column)} rows are too many for classes{text}")
    codes, classes = pd.factorize(column, sort=True)
    return cast(TaskName, task), codes, tuple(classes.tolist())


def _share_of_numbers(column: pd.Series[Any]) -> float:
    """How much of a column of text are numbers written as text."""
    import pandas as pd

    return float(pd.to_numeric(column, errors="coerce").notna().mean())


def _text_in(column: pd.Series[Any]) -> Any:
    """The first value of a column of text that is not a number written as text; otherwise the first."""
    import pandas as pd

    text = column[pd.to_numeric(column, errors="coerce").isna()]
    return (text if len(text) else column).iloc[0]


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The features as float64 columns and text columns, whatever types the file had."""
    import pandas as pd

    def text(column: pd.Series[Any]) -> pd.Series[Any]:
        return column.astype(object).map(str, na_action="ignore").fillna(MISSING).astype(object)

    return pd.DataFrame(
        {str(name): numbers(column) if is_number(column) else text(column) for name, column in frame.items()},
        index=frame.index,
    )
