"""What `sweep check` finds in sequences: what would fail every trial, and what is odd though it can be trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.builtin.sequence_source import PARTS, Choice, Source, Steps, origins, read_source
from trainables.builtin.tabular_columns import gaps, has_value, is_number
from trainables.configuration import part_of
from trainables.data.problems import DataError, DataProblem, few, unreadable

if TYPE_CHECKING:
    import pandas as pd


def check_data(config: Mapping[str, Any]) -> Iterator[DataProblem]:
    """Look into the sequences; imports pandas, but neither torch, scipy nor scikit-learn."""
    path, choice = config["data"], choice_of(config)
    try:
        source = read_source(path, choice)
        if source.task == "forecast":
            steps = Steps(source=str(path), targets=source.targets, first=source.first, part=source.part)
            for part in PARTS[: 3 if choice.test else 2]:
                last = origins(steps, part, window=config["window"], horizon=config["horizon"])
                require_season(steps, last, part, season=config["season"])
        else:
            require_no_horizon(source.task, config["horizon"])
    except DataError as error:
        yield error.found
        return
    except OSError as error:
        yield unreadable(path, error)
        return
    yield from source.warnings
    yield from _constant(source, path)
    frame = source.rows.frame
    if source.task == "forecast":
        frame = frame.assign(**{choice.target: source.targets})
    yield from gaps(frame, path, "the last known value stands in as an input")
    if source.classes:
        yield from _missing_classes(source, choice, str(path))


def choice_of(config: Mapping[str, Any]) -> Choice:
    """What decides about the sequences, of a configuration."""
    return part_of(config, Choice)


def require_season(steps: Steps, last: Any, part: str, *, season: int) -> None:
    """Refuse a season that no window of a part has behind it, so that the seasonal naive forecast has no value.

    Args:
        steps: The target.
        last: The last row of each window [windows].
        part: One of ``PARTS``.
        season: Rows; 0 if it is to be found.

    Raises:
        DataError: There is none.
    """
    behind = int((last - steps.first[steps.series[last]]).max()) + 1
    if season > behind:
        problem = f"{steps.source}: {behind} rows of a series at most are before a forecast in the {part} part"
        raise DataError("season", f"{problem}: too few for season={season}", f"at most {behind}, or 0 to find it")


def require_no_horizon(task: str, horizon: int) -> None:
    """Refuse a horizon where nothing is forecast.

    Raises:
        DataError: It is not 1.
    """
    if horizon != 1:
        raise DataError("horizon", f"horizon={horizon}: each sequence has one target ({task})", "no horizon")


def _constant(source: Source, path: Path) -> Iterator[DataProblem]:
    training = source.part == 0
    if source.task != "forecast":
        training = training[source.rows.series]
    frame = source.rows.frame[training]
    names = [repr(str(name)) for name, column in frame.items() if _kinds(column) < 2]
    if names:
        problem = f"{path}: one value at most in the training part, and left out: {few(names)}"
        yield DataProblem(name="data", problem=problem, warning=True)


def _kinds(column: pd.Series[Any]) -> int:
    """How many different values there are; of text, "missing" is one."""
    return int(column[has_value(column)].nunique() if is_number(column) else column.nunique(dropna=False))


def _missing_classes(source: Source, choice: Choice, path: str) -> Iterator[DataProblem]:
    import numpy as np

    for number, part in enumerate(PARTS[: 3 if choice.test else 2]):
        there = np.bincount(source.targets[source.part == number], minlength=len(source.classes))
        missing = [repr(source.classes[each]) for each in np.flatnonzero(there == 0)]
        if missing:
            problem = f"{path}: no sequence of the {part} part has the {choice.target!r} {few(missing)}"
            yield DataProblem(name="target", problem=problem, warning=True)
