"""From a CSV or Parquet file to sequences that a network takes, once a machine.

What is learned from rows (scales, categories, the season) is learned from training rows only.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.builtin import sequence_inputs, sequence_naive, sequence_rows, sequence_source, tabular_columns
from trainables.builtin.sequence_inputs import inputs_of
from trainables.builtin.sequence_naive import season_of
from trainables.builtin.sequence_rows import carried
from trainables.builtin.sequence_source import Choice, Source, Steps, read_source
from trainables.data import split, table_file
from trainables.data.cache import Prepared, prepared
from trainables.data.problems import DataError
from trainables.supervised.tasks import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """Sequences prepared for training, one after the other.

    Attributes:
        source: The file, for messages.
        task: "forecast", or the task that the target of whole sequences sets.
        names: Of the inputs.
        inputs: float32 [rows, inputs]. In a forecast, the first one is the target as far as it is known.
        targets: Of a forecast float64 [rows], in its own units, NaN where missing. Otherwise one per series, as the
            task takes them.
        first: The first row of each series, and at the end the number of rows: int64 [series + 1].
        part: The number in ``PARTS``: int8, of each row in a forecast, otherwise of each series.
        centre, unit: The mean and the standard deviation of the target in the training rows of each series, [series];
            only of a forecast.
        season: Rows of a season as found in the training part; 1 if there is none.
        goal: The task, of whole sequences.
        classes: The values of the target in order, if it is a class.
    """

    source: str
    task: str
    names: tuple[str, ...]
    inputs: NDArray[np.float32]
    targets: NDArray[Any]
    first: NDArray[np.int64]
    part: NDArray[np.int8]
    centre: NDArray[np.float64]
    unit: NDArray[np.float64]
    season: int
    goal: Task
    classes: tuple[Any, ...]

    @cached_property
    def steps(self) -> Steps:
        """The target of a forecast."""
        return Steps(source=self.source, targets=self.targets, first=self.first, part=self.part)


def load(path: Path, choice: Choice) -> Sequences:
    """Read a file, order and split its rows, and scale them by the training rows; once a machine.

    Raises:
        DataError: The file or a column cannot be used.
        OSError: The file cannot be read.
    """
    code = (sequence_inputs, sequence_naive, sequence_rows, sequence_source, tabular_columns, split, table_file)
    found = prepared(
        lambda: _prepare(path, choice),
        data=[path],
        options=asdict(choice),
        code=(__file__, *(str(module.__file__) for module in code)),
    )
    arrays, facts = found.arrays, found.facts
    return Sequences(
        source=str(path),
        task=facts["task"],
        names=tuple(facts["names"]),
        inputs=arrays["inputs"],
        targets=arrays["targets"],
        first=arrays["first"],
        part=arrays["part"],
        centre=arrays["centre"],
        unit=arrays["unit"],
        season=facts["season"],
        goal=Task(**facts["goal"]),
        classes=tuple(facts["classes"]),
    )


def _prepare(path: Path, choice: Choice) -> Prepared:
    source = read_source(path, choice)
    return _forecast(source, path, choice) if source.task == "forecast" else _whole(source, path)


def _forecast(source: Source, path: Path, choice: Choice) -> Prepared:
    import numpy as np

    rows, values, training = source.rows, source.targets, source.part == 0
    known = np.isfinite(values)
    in_training = [values[begin:end][training[begin:end]] for begin, end in pairwise(source.first)]
    centre, unit = (np.array([measure(each) for each in in_training]) for measure in (np.nanmean, np.nanstd))
    unit[unit == 0] = 1.0
    own = np.nan_to_num((carried(values, rows.first) - centre[rows.series]) / unit[rows.series]).astype(np.float32)
    inputs, names = inputs_of(rows, training=training)
    if not known[training].all():
        inputs, names = [known.astype(np.float32), *inputs], [f"{choice.target} is known", *names]
    return Prepared(
        arrays={
            "inputs": np.stack([own, *inputs], axis=1),
            "targets": values,
            "first": source.first,
            "part": source.part,
            "centre": centre,
            "unit": unit,
        },
        facts={
            "task": "forecast",
            "names": [choice.target, *names],
            "season": season_of(in_training),
            "goal": {"name": "regression"},
            "classes": [],
        },
    )


def _whole(source: Source, path: Path) -> Prepared:
    import numpy as np

    values, training, task = source.targets, source.part == 0, source.task
    inputs, names = inputs_of(source.rows, training=training[source.rows.series])
    if not inputs:
        raise DataError("target", f"{path}: every column but the target is constant: nothing to predict it from")
    centre, scale = (values[training].mean(), float(values[training].std())) if task == "regression" else (0.0, 1.0)
    targets = values if task == "multiclass" else ((values - centre) / scale).astype(np.float32)
    return Prepared(
        arrays={
            "inputs": np.stack(inputs, axis=1),
            "targets": targets,
            "first": source.first,
            "part": source.part,
            "centre": np.empty(0),
            "unit": np.empty(0),
        },
        facts={
            "task": task,
            "names": names,
            "season": 1,
            "goal": {"name": task, "outputs": len(source.classes) if task == "multiclass" else 1, "scale": scale},
            "classes": [each if isinstance(each, str | bool | int | float) else str(each) for each in source.classes],
        },
    )
