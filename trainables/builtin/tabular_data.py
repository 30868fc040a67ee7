"""From a CSV or Parquet file to arrays that a network takes: read, split, preprocess.

The test set is set aside before anything is looked at, and the preprocessing is fitted on the training rows only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.builtin import tabular_inputs
from trainables.builtin.tabular_columns import plain
from trainables.builtin.tabular_inputs import inputs_of
from trainables.builtin.tabular_source import CODE, Choice, read_source
from trainables.data.cache import Prepared, prepared
from trainables.data.problems import DataError
from trainables.data.split import Rows as Rows
from trainables.data.split import split as split
from trainables.supervised.tasks import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table prepared for training.

    Attributes:
        goal: The task, as asked for, or as found from the target.
        classes: The values of the target in order, one per class number; of two, the second is the positive class.
            Empty for a regression.
        numbers: Names of the first columns of the inputs, which hold numbers.
        categories: Names of the other columns, which hold codes, with what the codes from 1 mean. 0: unknown.
        train_inputs, validation_inputs: float32 [rows, numbers + categories]
        train_targets, validation_targets: float32 [rows] of 0 and 1 (binary), int64 [rows] of class numbers
            (multiclass), or float32 [rows], standardized by the training rows (regression).
        rows: The rows of the file in each part, the test set included.
    """

    goal: Task
    classes: tuple[Any, ...]
    numbers: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
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
            raise DataError("test", f"{self._source}: no test set: its share leaves it without rows")
        return self._test


def load(path: Path, choice: Choice) -> Table:
    """Read a file, split its rows, fit the preprocessing on the training rows; once a machine.

    :func:`trainables.builtin.tabular_inputs.inputs_of` turns columns into inputs. Rows without a target are
    left out.

    Args:
        path: A file ending in .csv, .csv.gz, .parquet or .pq.
        choice: The target, the task and the split.

    Raises:
        DataError: The file or the target cannot be used; the error names the columns.
        OSError: The file cannot be read.
    """
    code = (__file__, str(tabular_inputs.__file__), *CODE)
    found = prepared(lambda: _prepare(path, choice), data=[path], options=asdict(choice), code=code)
    arrays, facts = found.arrays, found.facts
    return Table(
        goal=Task(**facts["goal"]),
        classes=tuple(facts["classes"]),
        numbers=tuple(facts["numbers"]),
        categories={name: tuple(kinds) for name, kinds in facts["categories"]},
        train_inputs=arrays["train_inputs"],
        validation_inputs=arrays["validation_inputs"],
        train_targets=arrays["train_targets"],
        validation_targets=arrays["validation_targets"],
        rows=Rows(train=arrays["train_rows"], validation=arrays["validation_rows"], test=arrays["test_rows"]),
        _test=(arrays["test_inputs"], arrays["test_targets"]),
        _source=str(path),
    )


def _prepare(path: Path, choice: Choice) -> Prepared:
    import numpy as np

    source = read_source(path, choice)
    rows, values = source.rows, source.target
    scale = 1.0
    if source.task == "regression":
        scale = float(values[rows.train].std()) or 1.0
        values = np.clip((values - values[rows.train].mean()) / scale, -1e15, 1e15)  # whose squares float32 holds
    values = values.astype(np.int64 if source.task == "multiclass" else np.float32)
    inputs = inputs_of(plain(source.features), rows.train)
    arrays: dict[str, NDArray[Any]] = {}
    for name, part in {"train": rows.train, "validation": rows.validation, "test": rows.test}.items():
        arrays |= {f"{name}_inputs": inputs.values[part], f"{name}_targets": values[part], f"{name}_rows": part}
    outputs = len(source.classes) if source.task == "multiclass" else 1
    facts = {
        "goal": {"name": source.task, "outputs": outputs, "scale": scale},
        "classes": [value if isinstance(value, str | bool | int | float) else str(value) for value in source.classes],
        "numbers": inputs.numbers,
        "categories": [*inputs.categories.items()],
    }
    return Prepared(arrays=arrays, facts=facts)
