"""Sequences in order, and everything that can be wrong with them."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.builtin import sequence
from trainables.builtin.sequence_check import check_data
from trainables.builtin.sequence_data import Sequences, load
from trainables.builtin.sequence_rows import carried
from trainables.builtin.sequence_source import Choice, read_source
from trainables.data.problems import DataError, DataProblem

DATA = Path(__file__).parents[2] / "examples" / "data"


def series(rows: int = 60) -> pd.DataFrame:
    """One series of so many days."""
    days = pd.date_range("2024-01-01", periods=rows).strftime("%Y-%m-%d")
    rng = np.random.default_rng(0)
    return pd.DataFrame({"day": days, "y": rng.normal(size=rows), "x": rng.normal(size=rows)})


def several(groups: int = 20, rows: int = 6) -> pd.DataFrame:
    """Sequences of one of two classes each."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "who": np.repeat([f"g{number}" for number in range(groups)], rows),
            "at": np.tile(np.arange(rows), groups),
            "x": rng.normal(size=groups * rows),
            "kind": np.repeat(np.resize(["a", "b"], groups), rows),
        }
    )


SEVERAL = {"target": "kind", "time": "at", "group": "who", "horizon": 1}


def written(frame: pd.DataFrame, directory: Path) -> Path:
    path = directory / "table.csv"
    frame.to_csv(path, index=False)
    return path


def prepared(frame: pd.DataFrame, directory: Path, **choice: Any) -> Sequences:
    return load(written(frame, directory), Choice(**({"target": "y", "time": "day"} | choice)))


def problems(path: Path, frame: pd.DataFrame | None = None, **config: Any) -> list[DataProblem]:
    path = path if frame is None else written(frame, path)
    defaults = sequence.train.declaration.defaults()
    small = {"data": path, "target": "y", "time": "day", "window": 6, "horizon": 3}
    return list(check_data(defaults | small | config))


def test_nothing_is_wrong_with_the_examples(tmp_path: Path) -> None:
    assert not problems(DATA / "sunspots.csv", target="sunspots", time="month", horizon=24, window=132)
    (weeks,) = problems(DATA / "co2.csv", target="co2", time="week", horizon=26, window=104)
    assert (weeks.warning, "'co2' in 59" in weeks.problem) == (True, True)
    digits = {"target": "digit", "time": "row", "group": "image", "horizon": 1}
    assert not problems(DATA / "digits_by_row.parquet", **digits)
    assert not problems(tmp_path, series())
    assert not problems(tmp_path, several(), **SEVERAL)


@pytest.mark.parametrize(
    ("file", "choice", "season"),
    [
        ("sunspots.csv", Choice(target="sunspots", time="month"), 127),
        ("co2.csv", Choice(target="co2", time="week"), 52),
        ("lesson.csv", Choice(target="sales", time="date", group="shop"), 7),  # 14 and 21 are as good but for noise
    ],
)
def test_the_season_of_real_series_is_found(file: str, choice: Choice, season: int) -> None:
    assert load(DATA / file, choice).season == season


@pytest.mark.parametrize(
    ("change", "config", "name", "words"),
    [
        ({}, {"target": "z"}, "target", "no column 'z'; columns: day, y, x"),
        ({}, {"time": "days"}, "time", "no column 'days'; did you mean 'day'?"),
        ({}, {"group": "who"}, "group", "no column 'who'"),
        ({}, {"ignore": ["X"]}, "ignore", "no column 'X'"),
        ({}, {"ignore": ["y"]}, "ignore", "'y' is the target"),
        ({}, {"time": "y"}, "time", "target: y, time: y; two different columns"),
        ({}, {"group": "day"}, "time", "time: day, group: day; three different columns"),
        ({"y": np.nan}, {}, "target", "no row has a value"),
        ({"y": 2.5}, {}, "target", "it is always 2.5 in the training part; a target that varies"),
        ({"y": [3.0] * 50 + [4.0] * 10}, {}, "target", "it is always 3 in the training part"),
        ({"y": [np.nan] * 40 + [1.0, 2.0] * 10}, {}, "target", "no series has two values in the training part"),
        ({"y": np.resize(["up", "down"], 60)}, {}, "target", "a forecast needs numbers; the column has text, such as"),
        ({"y": [*range(59), "n/a?"]}, {}, "target", "a forecast needs numbers; the column has text, such as 'n/a?'"),
        ({"y": np.resize(["up", "down"], 60)}, {"task": "binary"}, "group", "task: binary is of whole sequences"),
        ({"day": [None, *range(59)]}, {}, "time", "row 1 has none"),
        ({"day": [*range(57), None, None, np.inf]}, {}, "time", "2 rows, of which row 58 is the first, have none"),
        ({"day": [*range(59), np.inf]}, {}, "time", "row 60 has no finite one"),
        ({"day": ["monday"] * 60}, {}, "time", "'monday' is no time; numbers, or times as 2024-01-31 12:00"),
        ({"day": np.resize([1, 2, 3], 60)}, {}, "time", "57 rows have the time of another row, such as '1'"),
        ({"x": [None, *["a"] * 59]}, {"group": "x"}, "group", "group 'x': row 1 has none"),
        ({}, {"validation": 0.5, "test": 0.5}, "validation", "must be shares that leave rows for training"),
        ({}, {"validation": 0.001}, "validation", "60 rows are too few for validation=0.001 and test=0.2: none for"),
        ({}, {"horizon": 13}, "horizon", "the validation part has 12 rows of a series at most: too few for horizon=13"),
        ({}, {"horizon": 40}, "horizon", "36 rows of a series at most: too few for horizon=40; at most 35"),
        ({}, {"window": 34}, "window", "33 rows of a series at most before 3 others: too few for window=34; at most"),
        ({}, {"window": 700}, "window", "too few for window=700"),
        ({}, {"season": 34}, "season", "33 rows of a series at most are before a forecast in the train part"),
        ({"x": np.nan, "y": [*np.arange(36.0), *[np.nan] * 24]}, {}, "target", "no row that a window could predict"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_of_the_hyperparameter(
    change: dict[str, Any], config: dict[str, Any], name: str, words: str, tmp_path: Path
) -> None:
    frame = series().assign(**change)
    (found,) = problems(tmp_path, frame, **config)
    assert (found.name, found.warning) == (name, False)
    assert words in str(found)
    settings = sequence.train.declaration.defaults() | {"data": tmp_path / "table.csv", "target": "y", "time": "day"}
    with pytest.raises((DataError, ValueError)) as raised:
        sequence.train(settings | {"window": 6, "horizon": 3} | config, None)  # type: ignore[arg-type]
    assert words in str(raised.value), "a trial that was not checked says the same"


@pytest.mark.parametrize(
    ("change", "config", "name", "words"),
    [
        ({"kind": ["a", "b"] * 60}, {"task": "binary"}, "target", "it changes within who=g0; task: binary is of whole"),
        ({}, {"horizon": 4}, "horizon", "horizon=4: each sequence has one target (binary); no horizon"),
        ({}, {"task": "regression"}, "target", "a regression needs numbers"),
        ({"kind": "a"}, {"task": "binary"}, "target", "20 sequences with 1 distinct values: nothing to learn"),
        ({"kind": np.repeat([*map(str, range(20))], 6)}, {}, "target", "20 distinct values in 20 sequences are too"),
        ({}, {"validation": 0.01}, "validation", "20 sequences are too few for validation=0.01"),
        ({"kind": ["a"] * 114 + ["b"] * 6}, {}, "target", "always 'a' in the 4 sequences for validation"),
    ],
)  # fmt: skip
def test_a_mistake_in_whole_sequences_is_said_of_the_hyperparameter(
    change: dict[str, Any], config: dict[str, Any], name: str, words: str, tmp_path: Path
) -> None:
    (found,) = problems(tmp_path, several().assign(**change), **(SEVERAL | config))
    assert (found.name, found.warning) == (name, False)
    assert words in str(found)


def test_sequences_without_any_input_are_refused(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, several().drop(columns="x"), **SEVERAL)
    assert "no column but target, time and group" in found.problem
    with pytest.raises(DataError, match="every column but the target is constant"):
        prepared(several().assign(x=1), tmp_path, target="kind", time="at", group="who")


def test_a_class_without_a_sequence_in_a_part_is_a_warning(tmp_path: Path) -> None:
    kinds = np.repeat([*["a"] * 10, *["b"] * 9, "c"], 6)
    found = problems(tmp_path, several().assign(kind=kinds), **SEVERAL)
    assert [(each.name, each.warning) for each in found] == [("target", True)] * 2
    assert "no sequence of the validation part has the 'kind' 'c'" in found[0].problem


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    (found,) = problems(tmp_path / "nothing.csv")
    assert (found.name, "cannot be read" in found.problem) == ("data", True)


def test_repeated_times_bring_the_column_that_tells_series_apart_to_mind(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="name the column that tells series apart as group: who"):
        prepared(several(), tmp_path, target="x", time="at")
    frame = pd.concat([several(), several().tail(1)])
    with pytest.raises(DataError, match="1 rows have the time of another row of who=g19, such as '5'"):
        prepared(frame, tmp_path, target="x", time="at", group="who")


@given(st.permutations(range(60)))
@settings(derandomize=True, deadline=None, max_examples=10)
def test_the_order_of_the_rows_in_the_file_means_nothing(order: list[int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        choice = Choice(target="y", time="day")
        whole = read_source(written(series(), Path(name)), choice)
        mixed = read_source(written(series().iloc[order], Path(name)), choice)
    np.testing.assert_array_equal(whole.targets, mixed.targets)
    pd.testing.assert_frame_equal(whole.rows.frame, mixed.rows.frame)


@pytest.mark.parametrize(
    "days",
    [
        np.arange(60) * 7.5,
        pd.date_range("1600-01-01", periods=60, freq="D", unit="s"),
        pd.date_range("2024-01-01", periods=60, freq="h", tz="Europe/Berlin"),
        [f"{1990 + number // 12}-{number % 12 + 1:02d}" for number in range(60)],
    ],
)
def test_times_are_numbers_or_dates(days: Any, tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    series().assign(day=days).to_parquet(path)
    found = read_source(path, Choice(target="y", time="day"))
    np.testing.assert_array_equal(found.targets, series()["y"])
    assert (np.diff(found.rows.times) > 0).all()


def test_steps_of_other_lengths_are_a_warning(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, series().drop(index=[7, 8, 30]))
    assert found.warning
    assert "2 of 56 steps are not of the usual length (the longest is 3 times as long)" in found.problem
    months = series().assign(day=pd.date_range("2020-01-01", periods=60, freq="MS"))
    assert not problems(tmp_path, months), "they are all as long as each other"


def test_series_without_a_past_are_left_out_and_said(tmp_path: Path) -> None:
    frame = pd.DataFrame({"who": ["old"] * 50 + ["new"] * 8, "day": [*range(50), *range(42, 50)], "y": range(58)})
    data = prepared(frame.astype({"y": float}), tmp_path, group="who")
    (found,) = problems(tmp_path, frame.astype({"y": float}), group="who")
    assert found.warning
    assert "1 of 2 series have no past in the training part, and are left out: new" in found.problem
    assert list(data.first) == [0, 50]


def test_sequences_without_a_class_are_left_out_and_said(tmp_path: Path) -> None:
    frame = several()
    frame.loc[frame["who"] == "g3", "kind"] = None
    data = prepared(frame, tmp_path, target="kind", time="at", group="who")
    (found,) = problems(tmp_path, frame, target="kind", time="at", group="who", horizon=1)
    assert found.warning
    assert "1 of 20 sequences have no 'kind', and are left out" in found.problem
    assert len(data.targets) == 19


def test_a_class_may_stand_in_one_row_of_its_sequence(tmp_path: Path) -> None:
    frame = several()
    whole = prepared(frame, tmp_path, target="kind", time="at", group="who")
    frame.loc[frame["at"] > 0, "kind"] = None
    once = prepared(frame, tmp_path, target="kind", time="at", group="who")
    np.testing.assert_array_equal(whole.targets, once.targets)
    assert whole.task == once.task == "binary"


def test_missing_values_are_the_last_ones_known_and_said_to_be_missing(tmp_path: Path) -> None:
    frame = series()
    frame.loc[5:7, "y"] = None
    frame.loc[[0, 9], "x"] = None
    data = prepared(frame, tmp_path)
    assert data.names == ("y", "y is known", "x", "x is known")
    y, y_known, x, x_known = data.inputs.T
    assert (y[5:8] == y[4]).all()
    assert list(np.flatnonzero(y_known == 0)) == [5, 6, 7]
    assert (x[0], x[9]) == (0, x[8])
    assert list(np.flatnonzero(x_known == 0)) == [0, 9]
    assert np.isnan(data.targets[5:8]).all()
    (said,) = problems(tmp_path, frame)
    assert said.warning
    assert "'x' in 2, 'y' in 3; the last known value stands in" in said.problem


def test_columns_of_parquet_files_are_what_they_look_like(tmp_path: Path) -> None:
    frame = several().assign(
        price=[Decimal(number) / 4 for number in range(120)],
        since=[date(2020, 1, 1 + number % 20) for number in range(120)],
        tags=[["a", "b"], ["b"], None] * 40,
        mood=pd.Categorical(["good", "bad"] * 60),
        open=[True, False, False] * 40,
    )
    path = tmp_path / "table.parquet"
    frame.to_parquet(path)
    choice = Choice(target="kind", time="at", group="who")
    names = load(path, choice).names
    assert {"price", "since", "open", "mood_bad", "tags_(missing)"} <= set(names)
    assert "x" in load(path, Choice(target="price", time="at", group="who")).names
    with pytest.raises(DataError, match="name the column that tells series apart as group: who"):
        load(path, Choice(target="price", time="at"))


def test_groups_are_told_apart_by_what_they_look_like(tmp_path: Path) -> None:
    frame = several()
    numbers = frame["who"].str[1:].astype(int)
    assert len(prepared(frame.assign(who=numbers), tmp_path, target="x", time="at", group="who").unit) == 20
    frame.assign(who=[[name] for name in frame["who"]]).to_parquet(tmp_path / "table.parquet")
    assert len(load(tmp_path / "table.parquet", Choice(target="x", time="at", group="who")).unit) == 20


def test_a_column_may_be_ignored(tmp_path: Path) -> None:
    assert prepared(series().assign(z=range(60)), tmp_path, ignore=("x", "day")).names == ("y", "z")


def test_text_is_an_input_per_category(tmp_path: Path) -> None:
    frame = series().assign(mood=["good", "bad", None] * 20)
    data = prepared(frame, tmp_path)
    assert data.names == ("y", "x", "mood_(missing)", "mood_bad", "mood_good")
    assert set(data.inputs[:, 2:].sum(axis=1)) == {1}


def test_what_does_not_vary_in_the_training_part_is_left_out_and_said(tmp_path: Path) -> None:
    changes = {"one": [1] * 50 + [2] * 10, "none": np.nan, "word": "x", "late": [np.nan] * 50 + [2.0] * 10}
    frame = series().assign(**changes, partly=["x", None] * 30)
    assert prepared(frame, tmp_path).names == ("y", "x", "partly_(missing)", "partly_x")
    (found,) = (each for each in problems(tmp_path, frame) if "left out" in each.problem)
    assert found.warning
    assert found.problem.endswith("left out: 'one', 'none', 'word', 'late'")


def test_numbers_of_whole_sequences_are_a_regression(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    data = prepared(several().assign(kind=np.repeat(rng.normal(size=20), 6)), tmp_path, target="kind", time="at",
                    group="who")  # fmt: skip
    assert (data.task, data.goal.name) == ("regression", "regression")
    assert data.targets[data.part == 0].mean() == pytest.approx(0, abs=1e-6)
    assert data.targets[data.part == 0].std() == pytest.approx(1, rel=1e-5)


@given(st.lists(st.tuples(st.integers(0, 2), st.one_of(st.none(), st.integers(0, 9))), min_size=1, max_size=30))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_carried_values_come_from_before_in_the_same_series(rows: list[tuple[int, int | None]]) -> None:
    groups = np.sort([group for group, _ in rows])
    values = np.array([np.nan if value is None else value for _, value in rows], dtype=float)
    first = np.searchsorted(groups, groups)
    found = carried(values, first)
    for row in range(len(rows)):
        known = [value for value in values[first[row] : row + 1] if not np.isnan(value)]
        np.testing.assert_equal(found[row], known[-1] if known else np.nan)


def test_looking_imports_neither_torch_nor_scipy_nor_scikit_learn() -> None:
    code = """
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from trainables.builtin.sequence import train
assert "pandas" not in sys.modules
config = train.declaration.defaults() | {"target": "co2", "time": "week", "data": Path(sys.argv[1])}
assert all(each.warning for each in train.declaration.check_data(config))
sys.exit(" ".join({"torch", "sklearn", "scipy", "ray"} & sys.modules.keys()) or None)
"""
    done = subprocess.run([sys.executable, "-c", code, DATA / "co2.csv"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
