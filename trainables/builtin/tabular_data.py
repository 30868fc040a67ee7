"""From a CSV or Parquet file to arrays that a dense network takes: read, split, preprocess.

The test set is set aside before anything is looked at, and the preprocessing is fitted on the training rows only.
"""

from __future__ import annotations

import difflib
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.builtin import tabular_columns
from trainables.builtin.tabular_columns import has_value, plain, preprocessing, read_target
from trainables.data.cache import Prepared, prepared
from trainables.supervised.tasks import Task

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
    """A table prepared for training.

    Attributes:
        goal: The task, as asked for, or as found from the target.
        classes: The values of the target in order, one per class number; of two, the second is the positive class.
            Empty for a regression.
        features: Names of the columns of the inputs.
        train_inputs, validation_inputs: float32 [rows, features]
        train_targets, validation_targets: float32 [rows] of 0 and 1 (binary), int64 [rows] of class numbers
            (multiclass), or float32 [rows], standardized by the training rows (regression).
        rows: The rows of the file in each part, the test set included.
    """

    goal: Task
    classes: tuple[Any, ...]
    features: tuple[str, ...]
    train_inputs: NDArray[np.float32]
    validation_inputs: NDArray[np.float32]
    train_targets: NDArray[Any]
    validation_targets: NDArray[Any]
    rows: Rows
    _test: tuple[NDArray[np.float32], NDArray[Any]]
    _source: str

    def test_part(self) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """The inputs and targets of the test rows, which no trial sees, prepared like those of the training.

        Raises:
            ValueError: There is no test set.
        """
        if not len(self._test[1]):
            raise ValueError(f"{self._source}: no test set: its share leaves it without rows")
        return self._test


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
    """Read a file, split its rows, fit the preprocessing on the training rows; once a machine.

    :func:`trainables.builtin.tabular_columns.preprocessing` turns columns into inputs. Rows without a target are
    dropped, with a warning in the log.

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
    options: dict[str, Any] = {
        "target": target,
        "task": task,
        "seed": seed,
        "validation": validation,
        "test": test,
        "fraction": fraction,
    }
    found = prepared(
        lambda: _prepare(path, **options), data=[path], options=options, code=(__file__, tabular_columns.__file__)
    )
    arrays, facts = found.arrays, found.facts
    return Table(
        goal=Task(**facts["goal"]),
        classes=tuple(facts["classes"]),
        features=tuple(facts["features"]),
        train_inputs=arrays["train_inputs"],
        validation_inputs=arrays["validation_inputs"],
        train_targets=arrays["train_targets"],
        validation_targets=arrays["validation_targets"],
        rows=Rows(train=arrays["train_rows"], validation=arrays["validation_rows"], test=arrays["test_rows"]),
        _test=(arrays["test_inputs"], arrays["test_targets"]),
        _source=str(path),
    )


def _prepare(
    path: Path, *, target: str, task: str, seed: int, validation: float, test: float, fraction: float
) -> Prepared:
    import numpy as np

    if validation <= 0 or test < 0 or validation + test >= 1:
        raise ValueError(f"validation={validation} and test={test} must be shares that leave rows for training")
    if not 0 < fraction <= 1:
        raise ValueError(f"data_fraction={fraction} must be above 0 and at most 1")
    frame = read_table(path)
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
    encoder.fit(frame.iloc[rows.train])
    parts = {"train": rows.train, "validation": rows.validation, "test": rows.test}
    arrays: dict[str, NDArray[Any]] = {}
    for name, part in parts.items():
        inputs = encoder.transform(frame.iloc[part]) if len(part) else np.empty((0, 0))
        arrays |= {f"{name}_inputs": inputs.astype(np.float32), f"{name}_targets": values[part], f"{name}_rows": part}
    outputs = len(classes) if found == "multiclass" else 1
    facts = {
        "goal": {"name": found, "outputs": outputs, "scale": scale},
        "classes": [value if isinstance(value, str | bool | int | float) else str(value) for value in classes],
        "features": list(encoder.get_feature_names_out()),
    }
    return Prepared(arrays=arrays, facts=facts)


def read_table(path: Path) -> pd.DataFrame:
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
