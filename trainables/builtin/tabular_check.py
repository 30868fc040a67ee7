"""What `sweep check` finds in a table: mistakes that fail every trial, and leaks that flatter all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.builtin.tabular_columns import MAX_CATEGORIES, gaps, is_number, numbers, without
from trainables.builtin.tabular_source import CODE, Choice, Source, read_source
from trainables.configuration import part_of
from trainables.data.cache import Prepared, prepared
from trainables.data.problems import DataError, DataProblem, few, unreadable
from trainables.data.table_file import refuse_directory

if TYPE_CHECKING:
    import pandas as pd


def check_data(config: Mapping[str, Any]) -> Iterator[DataProblem]:
    """Look into the table, once for each content and choice; imports pandas, but neither torch nor scikit-learn."""
    path, choice = config["data"], choice_of(config)
    try:
        refuse_directory(path)
        found = prepared(
            lambda: Prepared(arrays={}, facts={"problems": [asdict(each) for each in _problems(path, choice)]}),
            data=[path],
            options={"check of": str(path), **asdict(choice)},
            code=(__file__, *CODE),
        )
    except DataError as error:
        yield error.found
    except OSError as error:
        yield unreadable(path, error)
    else:
        yield from (DataProblem(**each) for each in found.facts["problems"])


def _problems(path: Path, choice: Choice) -> Iterator[DataProblem]:
    try:
        source = read_source(path, choice)
    except DataError as error:
        yield error.found
        return
    target = choice.target
    for name, column in source.features.items():
        if leak := _leak(column, source):
            problem = f"{path}: the column {str(name)!r} {leak} the target {target!r}, so there is nothing to learn"
            yield DataProblem(name="target", problem=problem, allowed=without(name))
        elif len(source.features.columns) > 1 and (what := _names_rows(column)):
            problem = f"{path}: the column {str(name)!r} {what}"
            allowed = f"it tells little; to leave it out, {without(name)}"
            yield DataProblem(name="data", problem=problem, allowed=allowed, warning=True)
    if source.dropped:
        total = source.dropped + len(source.target)
        problem = f"{path}: {source.dropped} of {total} rows have no {target!r}, and are left out"
        yield DataProblem(name="target", problem=problem, warning=True)
    yield from gaps(source.features, path, "the median stands in for a number, and for a text a category of its own")
    yield from _few(source, choice, str(path))


def choice_of(config: Mapping[str, Any]) -> Choice:
    """What decides about the table, of a configuration."""
    return part_of(config, Choice)


def _leak(column: pd.Series[Any], source: Source) -> str:
    """How a feature gives the target away; "" if it does not."""
    import numpy as np
    import pandas as pd

    if not source.classes:
        same = is_number(column) and np.array_equal(numbers(column), source.target)
        return "equals" if same else ""
    codes, kinds = pd.factorize(column.map(str), use_na_sentinel=False)
    if len(kinds) != len(source.classes):
        return ""
    pairs = np.unique(codes * len(kinds) + source.target)
    return "has the classes, perhaps by other names, of" if len(pairs) == len(kinds) else ""


def _names_rows(column: pd.Series[Any]) -> str:
    """What tells that a column only tells rows apart: a count of them, or a text of its own for most; "" if none."""
    import numpy as np
    from pandas.api import types

    if is_number(column):
        counts = types.is_integer_dtype(column) and len(column) > 2 and (np.diff(numbers(column)) == 1).all()
        return "counts the rows" if counts else ""
    different = int(column.map(str).nunique())
    if different <= max(MAX_CATEGORIES, len(column) / 2):
        return ""
    return f"has {different} different texts in {len(column)} rows"


def _few(source: Source, choice: Choice, path: str) -> Iterator[DataProblem]:
    """What is too rare for a part, and yet can be trained."""
    import numpy as np

    if choice.test and not len(source.rows.test):
        problem = f"{path}: {len(source.target)} rows leave none for test={choice.test}"
        yield DataProblem(name="test", problem=problem, warning=True)
    parts = {"training": source.rows.train, "validation": source.rows.validation}
    for part, rows in parts.items():
        there = np.bincount(source.target[rows], minlength=len(source.classes)) if source.classes else ()
        missing = [repr(source.classes[number]) for number, count in enumerate(there) if not count]
        if missing:
            problem = f"{path}: no row for {part} has the {choice.target!r} {few(missing)}"
            yield DataProblem(name="target", problem=problem, warning=True)
