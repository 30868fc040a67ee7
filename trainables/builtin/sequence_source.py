"""Sequences before anything is learnt from them: rows in order, what is to be predicted, and the parts.

Everything that can be wrong with a file or its columns is found here, so that `sweep check` finds it without training.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trainables.builtin.sequence_rows import Ordered, ordered
from trainables.builtin.tabular_columns import has_value, is_number, numbers, read_target, without
from trainables.data.problems import DataError, DataProblem, few
from trainables.data.split import Rows, split, split_in_time
from trainables.supervised.tasks import TaskName

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

PARTS = ("train", "validation", "test")

LEADS = 48
"""So many rows ahead, a column is compared with the target: one that has its values before it gives them away."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What decides about the sequences of a training; the names are those of the hyperparameters.

    Attributes:
        target: The column to predict.
        time: The column of the order within a series.
        group: The column that tells series apart; None if there is one.
        task: "forecast"; "binary", "multiclass" or "regression" of whole sequences; or "auto": of whole sequences if
            each of several has one value of the target, otherwise a forecast.
        split_seed: The seed of a split by sequence. A split in time draws nothing: the last rows are for testing.
        validation, test: Shares of the rows, or of the sequences.
        ignore: Columns that are no inputs.
    """

    target: str
    time: str
    group: str | None = None
    task: str = "auto"
    split_seed: int = 0
    validation: float = 0.2
    test: float = 0.2
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The target of a forecast, one series after the other.

    Attributes:
        source: The file, for messages.
        targets: float64 [rows], in the target's own units; NaN where missing.
        first: The first row of each series, and at the end the number of rows: int64 [series + 1].
        part: The number in ``PARTS`` of each row: int8 [rows].
    """

    source: str
    targets: NDArray[np.float64]
    first: NDArray[np.int64]
    part: NDArray[np.int8]

    @cached_property
    def series(self) -> NDArray[np.intp]:
        """The number of the series of each row [rows]."""
        import numpy as np

        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))


@dataclass(frozen=True, kw_only=True)
class Source:
    """Sequences that have a target.

    Attributes:
        rows: The inputs, in order: every column but time and group, and of whole sequences but the target.
        task: "forecast", or the task that the target of whole sequences sets.
        targets: Of a forecast float64 [rows], NaN where missing; otherwise class numbers, or numbers, [series].
        classes: The values of the target in order, if it is a class.
        part: The number in ``PARTS``: int8, of each row in a forecast, otherwise of each series.
        first: The first row of each series, and at the end the number of rows: int64 [series + 1].
        warnings: What is odd about them, and what is left out.
    """

    rows: Ordered
    task: TaskName | Literal["forecast"]
    targets: NDArray[Any]
    classes: tuple[Any, ...]
    part: NDArray[np.int8]
    first: NDArray[np.int64]
    warnings: tuple[DataProblem, ...]


def read_source(path: Path, choice: Choice) -> Source:
    """Read a file, put its rows in order, and split them.

    A forecast is split in time, at the same two moments for all series; series without two values in the training part
    are left out, with a warning. Sequences with one target each are split at random, classes keeping their
    shares.

    Raises:
        DataError: The file or a column cannot be used.
        OSError: The file cannot be read.
    """
    shares = f"validation={choice.validation} and test={choice.test}"
    if choice.validation <= 0 or choice.test < 0 or choice.validation + choice.test >= 1:
        raise DataError("validation", f"{shares} must be shares that leave rows for training")
    rows = ordered(path, target=choice.target, time=choice.time, group=choice.group, ignore=choice.ignore)
    if not has_value(rows.frame[choice.target]).any():
        raise DataError("target", f"{path}: target {choice.target!r}: no row has a value")
    whole = choice.task != "forecast" and (choice.task != "auto" or _one_value_each(rows, choice.target))
    return _whole(rows, path, choice) if whole else _forecast(rows, path, choice)


def _forecast(rows: Ordered, path: Path, choice: Choice) -> Source:
    import numpy as np
    import pandas as pd

    column, where = rows.frame[choice.target], f"{path}: target {choice.target!r}"
    if not is_number(column):
        text = column[has_value(column) & pd.to_numeric(column, errors="coerce").isna().to_numpy()]
        found = repr(text.iloc[0]) if len(text) else "numbers in quotes"
        raise DataError(
            "target",
            f"{where}: a forecast needs numbers; the column has text, such as {found}",
            "numbers, or classes of whole sequences, which a group column tells apart, one class each",
        )
    part = _parts(split_in_time(rows.times, validation=choice.validation, test=choice.test), len(rows.times))
    for number, name in enumerate(PARTS):
        if not (part == number).any() and (number < 2 or choice.test):
            shares = f"validation={choice.validation} and test={choice.test}"
            raise DataError("validation", f"{where}: {len(part)} rows are too few for {shares}: none for {name}")
    values = numbers(column)
    counts = np.bincount(rows.series, (part == 0) & np.isfinite(values), minlength=len(rows.names))
    kept = counts >= 2
    if not kept.any():
        raise DataError("target", f"{where}: no series has two values in the training part, of {len(part)} rows in all")
    warnings = rows.warnings
    if not kept.all():
        names = [name for name, keep in zip(rows.names, kept, strict=True) if not keep]
        problem = f"{path}: {len(names)} of {len(kept)} series have no past in the training part, and are left out"
        warnings += (DataProblem(name="data", problem=f"{problem}: {few(names)}", warning=True),)
        part, rows = part[kept[rows.series]], rows.only(kept)
        values = numbers(rows.frame[choice.target])
    known = values[(part == 0) & np.isfinite(values)]
    if known.min() == known.max():
        raise DataError("target", f"{where}: it is always {known[0]:g} in the training part", "a target that varies")
    rows = rows.without(choice.target)
    _no_column_ahead(rows, values, choice.target, path)
    return Source(
        rows=rows, task="forecast", targets=values, classes=(), part=part, first=_first(rows), warnings=warnings
    )


def _whole(rows: Ordered, path: Path, choice: Choice) -> Source:
    import numpy as np

    target, group, where = choice.target, choice.group, f"{path}: target {choice.target!r}"
    if group is None:
        raise DataError("group", f"task: {choice.task} is of whole sequences", "a column that tells them apart")
    has = np.bincount(rows.series, has_value(rows.frame[target]), minlength=len(rows.names)) > 0
    warnings = rows.warnings
    if not has.all():
        problem = f"{path}: {(~has).sum()} of {len(has)} sequences have no {target!r}, and are left out"
        warnings += (DataProblem(name="target", problem=problem, warning=True),)
        rows = rows.only(has)
    if (changing := _changing(rows, target)) is not None:
        problem = f"{where}: it changes within {group}={changing}; task: {choice.task} is of whole sequences"
        raise DataError("target", problem, "one value for each sequence, or task: forecast of numbers that change")
    column = rows.frame[target]
    known = has_value(column)
    labels = column[known].groupby(rows.series[known]).first()
    try:
        task, values, classes = read_target(labels, choice.task)
    except ValueError as error:
        raise DataError("target", f"{where}: {str(error).replace('rows', 'sequences')}") from None
    rows = rows.without(target)
    if not len(rows.frame.columns):
        raise DataError("target", f"{path}: there is no column but target, time and group to predict it from")
    _no_column_that_tells(rows, labels, target, path)
    strata = values if classes else np.zeros(len(values), dtype=int)
    parts = split(strata, seed=choice.split_seed, validation=choice.validation, test=choice.test)
    if not len(parts.validation):
        raise DataError("validation", f"{path}: {len(values)} sequences are too few for validation={choice.validation}")
    for name, there in (("training", parts.train), ("validation", parts.validation)):
        if len(np.unique(values[there])) < 2 and (classes or name == "training"):
            only = repr(classes[int(values[there][0])] if classes else float(values[there][0]))
            problem = f"{where}: it is always {only} in the {len(there)} sequences for {name}"
            raise DataError("target", problem, "more sequences of each class" if classes else "a target that varies")
    part = _parts(parts, len(values))
    return Source(
        rows=rows, task=task, targets=values, classes=classes, part=part, first=_first(rows), warnings=warnings
    )


def origins(steps: Steps, part: str, *, window: int, horizon: int) -> NDArray[np.int64]:
    """The last row of each window of a part: ``window`` rows of one series, and ``horizon`` rows to predict.

    All rows to predict are in the part, and one of them at least has a value. Rows of the window may be before it.

    Raises:
        DataError: There is none.
    """
    import numpy as np

    rows = np.arange(len(steps.targets))
    here = steps.part == PARTS.index(part)
    begin, end = (np.minimum(rows + ahead, len(rows) - 1) for ahead in (1, horizon))
    ahead = (steps.series[end] == steps.series) & (rows + horizon < len(rows)) & here[begin] & here[end]
    behind = rows - steps.first[steps.series] + 1
    known = np.cumsum(np.isfinite(steps.targets))
    found = np.flatnonzero(ahead & (behind >= window) & (known[end] > known))
    if len(found):
        return found
    longest = int(np.bincount(steps.series[here]).max()) if here.any() else 0
    where = f"{steps.source}: the {part} part"
    if not ahead.any():
        most = longest - (part == "train")
        allowed = f"at most {most} as it is, or {'more rows' if part == 'train' else f'a larger share, {part}: …'}"
        raise DataError(
            "horizon", f"{where} has {longest} rows of a series at most: too few for horizon={horizon}", allowed
        )
    if not (ahead & (behind >= window)).any():
        most = int(behind[ahead].max())
        problem = f"{where} has {most} rows of a series at most before {horizon} others: too few for window={window}"
        raise DataError("window", problem, f"at most {most}")
    raise DataError("target", f"{where}: no row that a window could predict has a target")


def _parts(rows: Rows, count: int) -> NDArray[np.int8]:
    import numpy as np

    part = np.zeros(count, dtype=np.int8)
    part[rows.validation], part[rows.test] = 1, 2
    return part


def _first(rows: Ordered) -> NDArray[np.int64]:
    import numpy as np

    return np.searchsorted(rows.series, np.arange(len(rows.names) + 1)).astype(np.int64)


def _one_value_each(rows: Ordered, target: str) -> bool:
    """Whether there are several series, each with one value of the target, not all with the same."""
    column = rows.frame[target]
    return len(rows.names) > 1 and column.nunique() > 1 and _changing(rows, target) is None


def _changing(rows: Ordered, target: str) -> str | None:
    """The name of a series in which the target has more than one value; None if there is none."""
    several = (rows.frame[target].groupby(rows.series).nunique() > 1).to_numpy()
    return rows.names[int(several.argmax())] if several.any() else None


def _no_column_ahead(rows: Ordered, values: NDArray[np.float64], target: str, path: Path) -> None:
    """Refuse a column that has, in a row, what the target is some rows later.

    Raises:
        DataError: There is one.
    """
    import numpy as np

    for name, column in rows.frame.items():
        if not is_number(column):
            continue
        held = numbers(column)
        for ahead in range(1, min(LEADS + 1, len(values))):
            same = held[:-ahead] == values[ahead:]
            if not same.any():
                continue
            both = (rows.series[ahead:] == rows.series[:-ahead]) & np.isfinite(held[:-ahead] + values[ahead:])
            later = values[ahead:][both]
            if len(later) > 2 and same[both].all() and later.min() < later.max():
                when = f"{ahead} row{'s' * (ahead > 1)} later, which nobody knows by then"
                problem = f"{path}: the column {str(name)!r} is the target {target!r} as it is {when}"
                raise DataError("target", problem, without(name))


def _no_column_that_tells(rows: Ordered, labels: pd.Series[Any], target: str, path: Path) -> None:
    """Refuse a column that is the target by other names: one value in each sequence, and another for each class.

    Raises:
        DataError: There is one.
    """
    import pandas as pd

    if labels.nunique() == len(labels):
        return
    for name, column in rows.frame.items():
        grouped = column.groupby(rows.series)
        if column.isna().any() or grouped.nunique().max() != 1:
            continue
        pairs = pd.DataFrame({"given": grouped.first().to_numpy(), "wanted": labels.to_numpy()}).drop_duplicates()
        if not pairs["given"].duplicated().any() and not pairs["wanted"].duplicated().any():
            problem = (
                f"{path}: the column {str(name)!r} has the classes, perhaps by other names, of the target {target!r}"
            )
            raise DataError("target", problem, without(name))
