"""A table before anything is learnt from it: features, target and the rows of each part.

Everything that can be wrong with a file or a target is found here, so that `sweep check` finds it without training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.builtin import tabular_columns
from trainables.builtin.tabular_columns import has_value, is_number, numbers, read_target
from trainables.data import split as splitting
from trainables.data import table_file
from trainables.data.problems import DataError
from trainables.data.split import Rows, some, split, split_groups, split_in_time
from trainables.data.table_file import read_table, require_column
from trainables.supervised.tasks import TaskName

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

CODE = (__file__, *(str(each.__file__) for each in (tabular_columns, splitting, table_file)))
"""The files of the code that reads a table."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What decides about the table of a training; the names are those of the hyperparameters.

    Attributes:
        target: The column to predict.
        task: "binary", "multiclass", "regression", or "auto": text, truth values, and whole numbers of at most 20
            values are classes, other numbers a regression.
        split_seed: The seed of the split. Classes keep their shares in each part; a class with too few rows is in the
            training part only. A split in time draws nothing.
        validation, test: Shares of the rows.
        data_fraction: The share of the training rows to use, for the preprocessing as well. Validation and test rows
            stay the same. A smaller share is a subset of a larger one.
        time: A column by which parts are in order: training before validation before test. No feature.
        group: A column whose values are each in one part only. No feature.
        ignore: Columns that are no features.
    """

    target: str
    task: str = "auto"
    split_seed: int = 0
    validation: float = 0.2
    test: float = 0.2
    data_fraction: float = 1.0
    time: str | None = None
    group: str | None = None
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """The rows that have a target, numbered from 0.

    Attributes:
        features: As they are in the file [rows, columns].
        task: What the target is.
        target: Class numbers [rows], or the numbers of a regression.
        classes: The values of the target in order, one per class number. Empty for a regression.
        rows: The rows of each part.
        dropped: How many rows of the file have no target.
    """

    features: pd.DataFrame
    task: TaskName
    target: NDArray[Any]
    classes: tuple[Any, ...]
    rows: Rows
    dropped: int


def read_source(path: Path, choice: Choice) -> Source:
    """Read a file, and split its rows.

    Raises:
        DataError: The file, the target or the split cannot be used; the error names the columns.
        OSError: The file cannot be read.
    """
    import numpy as np

    _check_shares(choice)
    frame = read_table(path)
    target = choice.target
    named = [("target", target), ("time", choice.time), ("group", choice.group)]
    for name, column in (*named, *(("ignore", each) for each in choice.ignore)):
        if column is not None:
            require_column(frame, column, path=path, name=name)
            if column == target and name != "target":
                raise DataError(name, f"{target!r} is the target")
    if not set(frame.columns) - {target, choice.time, choice.group, *choice.ignore}:
        raise DataError("target", f"{path}: {target!r} is the only column, so there is nothing to predict it from")
    known = has_value(frame[target])
    frame, dropped = frame[known].reset_index(drop=True), int((~known).sum())
    try:
        task, values, classes = read_target(frame.pop(target), choice.task)
    except ValueError as error:
        raise DataError("target", f"{path}: target {target!r}: {error}") from None
    frame = frame.drop(columns=[each for each in choice.ignore if each not in (choice.time, choice.group)])
    strata = values if classes else np.zeros(len(values), dtype=int)
    if choice.time is not None:
        times = _times(frame.pop(choice.time), path)
        rows = split_in_time(times, validation=choice.validation, test=choice.test)
    elif choice.group is not None:
        groups = _groups(frame.pop(choice.group), path)
        rows = split_groups(groups, seed=choice.split_seed, validation=choice.validation, test=choice.test)
    else:
        rows = split(strata, seed=choice.split_seed, validation=choice.validation, test=choice.test)
    if choice.data_fraction < 1 and len(rows.train):
        train = some(rows.train, strata, seed=choice.split_seed, fraction=choice.data_fraction)
        rows = replace(rows, train=train)
    _check_parts(rows, values, classes, choice, path)
    return Source(features=frame, task=task, target=values, classes=classes, rows=rows, dropped=dropped)


def _check_shares(choice: Choice) -> None:
    if choice.validation <= 0 or choice.test < 0 or choice.validation + choice.test >= 1:
        shares = f"validation={choice.validation} and test={choice.test}"
        raise DataError("validation", f"{shares} must be shares that leave rows for training")
    if not 0 < choice.data_fraction <= 1:
        raise DataError("data_fraction", f"data_fraction={choice.data_fraction} must be above 0 and at most 1")
    if choice.time is not None and choice.group is not None:
        problem = f"rows can be split in time ({choice.time!r}) or by groups ({choice.group!r}), not both"
        raise DataError("group", problem, "leave out time or group")


def _times(column: pd.Series[Any], path: Path) -> NDArray[Any]:
    """Numbers, or seconds since 1970 of times and of text in ISO 8601; [rows]."""
    import numpy as np
    import pandas as pd

    place = f"{path}: time {str(column.name)!r}"
    if not is_number(column):
        read = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)
        wrong = column[read.isna() & column.notna()]
        if len(wrong):
            raise DataError("time", f"{place}: {wrong.iloc[0]!r} is no time", "numbers, or times as 2024-01-31 12:00")
        column = read.dt.tz_localize(None)
    values = numbers(column)
    if missing := int(np.isnan(values).sum()):
        raise DataError("time", f"{place}: {missing} of {len(values)} rows have none")
    return values


def _groups(column: pd.Series[Any], path: Path) -> NDArray[Any]:
    """The number of each row's group [rows]."""
    import pandas as pd

    codes, _ = pd.factorize(column.map(str, na_action="ignore"))
    if missing := int((codes < 0).sum()):
        raise DataError("group", f"{path}: group {str(column.name)!r}: {missing} of {len(codes)} rows have none")
    return codes


def _check_parts(rows: Rows, values: NDArray[Any], classes: tuple[Any, ...], choice: Choice, path: Path) -> None:
    import numpy as np

    if len(rows.train) < 2 or not len(rows.validation):
        place, what = "validation", f"{len(values)} rows"
        if choice.time is not None:
            place, what = "time", f"the times in {choice.time!r}"
        elif choice.group is not None:
            place, what = "group", f"the groups in {choice.group!r}"
        parts = f"{len(rows.train)} for training, {len(rows.validation)} for validation"
        shares = f"validation={choice.validation} and test={choice.test}"
        if choice.data_fraction < 1:
            place, shares = "data_fraction", f"{shares} and data_fraction={choice.data_fraction}"
        raise DataError(place, f"{path}: {what} are too few for {shares}: they leave {parts}")
    for part, name in ((rows.train, "training"), (rows.validation, "validation")):
        kinds = np.unique(values[part])
        if len(kinds) < 2 and (classes or name == "training"):
            only = repr(classes[int(kinds[0])] if classes else float(kinds[0]))
            problem = f"{path}: target {choice.target!r} is always {only} in the {len(part)} rows for {name}"
            raise DataError("target", problem, "more rows of each class" if classes else "a target that varies")
