"""From a CSV or Parquet file to arrays that a dense network takes: read, split, preprocess.

The test set is set aside before anything is looked at, and the preprocessing is fitted on the training rows
only. Loaded tables stay in the process, because a worker trains many trials on one file. Only :func:`load_with_test`
returns the test set.
"""

from __future__ import annotations

import difflib
import logging
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.builtin.tabular_columns import has_value, plain, preprocessing, read_target
from trainables.tasks import TaskName

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of each part, as numbers from 0 among the rows that have a target."""

    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table prepared for training, without its test rows.

    Attributes:
        task: As asked for, or as found from the target.
        classes: The values of the target in order, one per class number; of two, the second is the positive class.
            Empty for a regression.
        features: Names of the columns of the inputs.
        train_inputs, validation_inputs: float32 [rows, features]
        train_targets, validation_targets: float32 [rows] of 0 and 1 (binary), int64 [rows] of class numbers
            (multiclass), or float32 [rows], standardized by the training rows (regression).
        target_scale: The target's units in one of a standardized regression target.
        rows: The rows of the file in each part, the test set included.
    """

    task: TaskName
    classes: tuple[Any, ...]
    features: tuple[str, ...]
    train_inputs: NDArray[np.float32]
    validation_inputs: NDArray[np.float32]
    train_targets: NDArray[Any]
    validation_targets: NDArray[Any]
    target_scale: float
    rows: Rows


@dataclass(frozen=True, kw_only=True)
class TestPart:
    """The test rows, prepared like the training rows: arrays as in :class:`Table`."""

    __test__ = False  # for pytest

    inputs: NDArray[np.float32]
    targets: NDArray[Any]


def load(
    path: Path,
    *,
    target: str,
    task: str = "auto",
    seed: int = 0,
    validation: float = 0.2,
    test: float = 0.2,
    fraction: float = 1.0,
) -> Table:
    """Read a file, split its rows, fit the preprocessing on the training rows.

    :func:`trainables.builtin.tabular_columns.preprocessing` turns columns into inputs. Rows without a target are
    dropped, with a warning in the log. The last two tables are cached until their file changes.

    Args:
        path: A file ending in .csv, .csv.gz, .parquet or .pq.
        target: The column to predict; all others are features.
        task: "binary", "multiclass", "regression", or "auto": text, truth values, and whole numbers of at
            most 20 values are classes, other numbers a regression.
        seed: The seed of the split. Classes keep their shares in each part; a class with too few rows is in the
            training part only.
        validation, test: Shares of the rows.
        fraction: The share of the training rows to use, for the preprocessing as well. Validation and test rows stay
            the same. A smaller share is a subset of a larger one.

    Raises:
        ValueError: The file or the target cannot be used; the error names the columns.
        OSError: The file cannot be read.
    """
    path = path.resolve()
    state = path.stat()
    return _load(path, state.st_mtime_ns, state.st_size, target, task, seed, validation, test, fraction)


def load_with_test(
    path: Path,
    *,
    target: str,
    task: str = "auto",
    seed: int = 0,
    validation: float = 0.2,
    test: float = 0.2,
    fraction: float = 1.0,
) -> tuple[Table, TestPart]:
    """The table as :func:`load` returns it, and its test set.

    Raises:
        ValueError: There is no test set, or the file or target cannot be used.
        OSError: The file cannot be read.
    """
    table, frame, values, encoder = _prepare(path, target, task, seed, validation, test, fraction)
    rows = table.rows.test
    if not len(rows):
        raise ValueError(f"{path}: no test set: test={test} leaves it without rows")
    return table, TestPart(inputs=encoder.transform(frame.iloc[rows]).astype("float32"), targets=values[rows])


@lru_cache(maxsize=2)
def _load(
    path: Path,
    _mtime: int,
    _size: int,
    target: str,
    task: str,
    seed: int,
    validation: float,
    test: float,
    fraction: float,
) -> Table:
    return _prepare(path, target, task, seed, validation, test, fraction)[0]


def _prepare(
    path: Path, target: str, task: str, seed: int, validation: float, test: float, fraction: float
) -> tuple[Table, pd.DataFrame, NDArray[Any], Any]:
    """The table, all rows as a plain frame, their targets, and the fitted preprocessing."""
    import numpy as np

    if validation <= 0 or test < 0 or validation + test >= 1:
        raise ValueError(f"validation={validation} and test={test} must be shares that leave rows for training")
    if not 0 < fraction <= 1:
        raise ValueError(f"data_fraction={fraction} must be above 0 and at most 1")
    frame = _read(path)
    if target not in frame.columns:
        near = difflib.get_close_matches(target, map(str, frame.columns), n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"{path}: no column {target!r}; {hint}columns: {', '.join(map(str, frame.columns))}")
    if len(frame.columns) == 1:
        raise ValueError(f"{path}: {target!r} is the only column, so there is nothing to predict it from")
    known = has_value(frame[target])
    if not known.all():
        log.warning("%s: dropped %d of %d rows, which have no %s", path, (~known).sum(), len(frame), target)
        frame = frame[known]
    try:
        found, values, classes = read_target(frame.pop(target), task)
    except ValueError as error:
        raise ValueError(f"{path}: target {target!r}: {error}") from None
    strata = values if classes else np.zeros_like(values)
    rows = split(strata, seed=seed, validation=validation, test=test)
    if fraction < 1:
        rows = replace(rows, train=some(rows.train, strata, seed=seed, fraction=fraction))
    if not len(rows.validation):
        raise ValueError(f"{path}: {len(frame)} rows are too few for validation={validation}")

    scale = 1.0
    if found == "regression":
        scale = float(values[rows.train].std()) or 1.0
        values = (values - values[rows.train].mean()) / scale
    values = values.astype(np.int64 if found == "multiclass" else np.float32)
    frame = plain(frame)
    encoder = preprocessing(frame)
    train_inputs = encoder.fit_transform(frame.iloc[rows.train])
    validation_inputs = encoder.transform(frame.iloc[rows.validation])
    table = Table(
        task=found,
        classes=classes,
        features=tuple(encoder.get_feature_names_out()),
        train_inputs=train_inputs.astype(np.float32),
        validation_inputs=validation_inputs.astype(np.float32),
        train_targets=values[rows.train],
        validation_targets=values[rows.validation],
        target_scale=scale,
        rows=rows,
    )
    return table, frame, values, encoder


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    if path.name.endswith((".parquet", ".pq")):
        frame = pd.read_parquet(path)
    elif path.name.endswith((".csv", ".csv.gz")):
        try:
            frame = pd.read_csv(path, low_memory=False)
        except pd.errors.EmptyDataError:
            frame = pd.DataFrame()
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from None
        except pd.errors.ParserError as error:
            raise ValueError(f"{path}: not a table: {' '.join(str(error).split())}") from None
        name = str(frame.columns[0]) if len(frame.columns) == 1 else ""
        mark = next((mark for mark in (";", "\t", "|") if mark in name), None)
        if mark is not None:
            raise ValueError(f"{path}: columns are separated by {mark!r}; a CSV file must use commas")
    else:
        raise ValueError(f"{path}: the name must end in .csv, .csv.gz, .parquet or .pq")
    if frame.empty:
        raise ValueError(f"{path}: the file has no rows")
    return frame


def split(strata: NDArray[Any], *, seed: int, validation: float, test: float) -> Rows:
    """Split rows at random so that each stratum has its share in each part.

    A stratum gives each of validation and test its rounded share of its rows, and the rest to training; so
    one that is too small for a share is in training only, and training is never without it.

    Args:
        strata: The stratum of each row [rows], any integers; all equal for a split without strata.
        seed: The seed of the split; the same seed gives the same parts.
        validation, test: Shares of the rows.
    """
    import numpy as np

    shuffled = np.random.default_rng(seed).permutation(len(strata))
    part = np.full(len(strata), "train", dtype="<U10")
    for stratum in np.unique(strata):
        rows = shuffled[strata[shuffled] == stratum]
        tested = min(int(len(rows) * test + 0.5), len(rows) - 1)
        validated = min(int(len(rows) * validation + 0.5), len(rows) - 1 - tested)
        part[rows[:tested]] = "test"
        part[rows[tested : tested + validated]] = "validation"
    return Rows(**{name: np.flatnonzero(part == name) for name in ("train", "validation", "test")})


def some(rows: NDArray[np.intp], strata: NDArray[Any], *, seed: int, fraction: float) -> NDArray[np.intp]:
    """A share of the rows, at least one per stratum. With one seed, a smaller share is a subset of a larger one.

    Args:
        rows: Numbers of rows.
        strata: The stratum of every row that there is, as for :func:`split`.
        seed: The seed of the choice.
        fraction: The share of each stratum, rounded.
    """
    import numpy as np

    shuffled = np.random.default_rng(seed).permutation(rows)
    taken = [
        stratum[: max(1, int(len(stratum) * fraction + 0.5))]
        for stratum in (shuffled[strata[shuffled] == value] for value in np.unique(strata[rows]))
    ]
    return np.sort(np.concatenate(taken))
