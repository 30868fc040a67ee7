"""Whatever is in a table: the check raises nothing, and what it lets pass can be loaded."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainables.builtin import tabular
from trainables.builtin.tabular_check import check_data, choice_of
from trainables.builtin.tabular_data import load

ROWS = 24

VALUES: tuple[st.SearchStrategy[Any], ...] = (
    st.floats(),
    st.integers(0, 3),
    st.integers(-(2**62), 2**62),
    st.booleans(),
    st.sampled_from(["a", "b", "c", ""]),
    st.text("ab\n,\"'é", max_size=3),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
    st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    st.decimals(-1000, 1000, allow_nan=False, places=2).map(Decimal),
    st.lists(st.integers(0, 2), max_size=2),
    st.binary(max_size=2),
)


@st.composite
def columns(draw: st.DrawFn) -> list[Any]:
    """The values of a column: of one kind, in some of which one is missing; few different ones in others."""
    kind = draw(st.sampled_from(VALUES))
    if draw(st.booleans()):
        kind = st.one_of(st.none(), kind)
    drawn = draw(st.lists(kind, min_size=1, max_size=ROWS))
    return [drawn[row % len(drawn)] for row in range(ROWS)]


TARGETS = (
    ["a", "b"] * 12,
    ["a", "b", "c"] * 8,
    ["a", "b", None] * 8,
    [True, False] * 12,
    [row / 7 for row in range(ROWS)],
)


@given(
    table=st.fixed_dictionaries({name: columns() for name in ("x", "z", "by")}),
    target=st.one_of(st.sampled_from(list(map(list, TARGETS))), columns()),
    ending=st.sampled_from([".csv", ".parquet"]),
    config=st.fixed_dictionaries(
        {"task": st.sampled_from(["auto", "binary", "multiclass", "regression"])},
        optional={
            "time": st.just("by"),
            "group": st.just("by"),
            "ignore": st.just(["z"]),
            "data_fraction": st.floats(0.01, 1),
            "validation": st.floats(0, 0.5),
            "test": st.floats(0, 0.4),
        },
    ),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_passes_the_check_can_be_loaded(
    table: dict[str, list[Any]], target: list[Any], ending: str, config: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / f"table{ending}"
    try:
        frame = pd.DataFrame({name: pd.Series(values) for name, values in (table | {"y": target}).items()})
        frame.to_parquet(path) if ending == ".parquet" else frame.to_csv(path, index=False)
    except (ValueError, TypeError, OverflowError):
        return  # no file can have this
    complete = tabular.train.declaration.defaults() | {"data": path, "target": "y"} | config
    found = list(check_data(complete))
    assert all(str(each) and each.name in complete for each in found)
    if any(not each.warning for each in found if "so there is nothing to learn" not in each.problem):
        with pytest.raises(ValueError, match=r"\S"):
            load(path, choice_of(complete))
        return
    loaded = load(path, choice_of(complete))
    assert np.isfinite(loaded.train_inputs).all()
    assert np.isfinite(loaded.validation_inputs).all()
    assert np.isfinite(loaded.train_targets).all()
    assert len(loaded.train_targets) >= 2
    assert len(loaded.validation_targets) >= 1
    assert loaded.train_inputs.shape[1] == len(loaded.numbers) + len(loaded.categories)
