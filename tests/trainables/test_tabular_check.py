"""What `sweep check` finds in tables."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn import datasets

from tests.trainables.test_tabular_data import CHURN, example
from trainables.builtin import tabular, tabular_check
from trainables.builtin.tabular_check import check_data
from trainables.builtin.tabular_columns import is_number
from trainables.builtin.tabular_source import Choice, read_source
from trainables.data.problems import DataProblem


def problems(path: Path, frame: pd.DataFrame | None = None, **config: Any) -> list[DataProblem]:
    if frame is not None:
        frame.to_csv(path / "table.csv", index=False)
        path = path / "table.csv"
    return list(check_data(tabular.train.declaration.defaults() | {"data": path, "target": "y"} | config))


def test_nothing_is_wrong_with_real_tables(tmp_path: Path) -> None:
    assert [each.warning for each in problems(CHURN, target="churn")] == [True], "the eleven missing charges"
    for load in (datasets.load_breast_cancer, datasets.load_wine, datasets.load_diabetes, datasets.load_iris):
        assert not problems(tmp_path, load(as_frame=True).frame, target="target"), load.__name__


@pytest.mark.parametrize(
    ("change", "config", "name", "words"),
    [
        ({}, {"target": "color"}, "target", "no column 'color'; did you mean 'colour'"),
        ({"y": "no"}, {}, "target", "60 rows with 1 distinct values: nothing to learn"),
        ({"y": np.nan}, {}, "target", "0 rows with 0 distinct values"),
        ({"y": [*map(str, range(59)), "n/a?"]}, {"task": "regression"}, "target", "text, such as 'n/a?'"),
        ({"y": [*map(str, range(59)), "n/a?"]}, {}, "target", "most values are numbers, 'n/a?' is none"),
        ({"y": [*map(str, range(59)), "n/a?"]}, {"task": "multiclass"}, "target", "too many for classes"),
        ({}, {"validation": 0.5, "test": 0.5}, "validation", "must be shares that leave rows"),
        ({}, {"validation": 0.001}, "validation", "60 rows are too few"),
        ({"y": np.arange(60) / 7}, {"data_fraction": 0.001}, "data_fraction", "they leave 1 for training"),
        ({"y": ["no"] * 59 + ["yes"]}, {}, "target", "always 'no' in the 12 rows for validation"),
        ({}, {"time": "when"}, "time", "no column 'when'"),
        ({}, {"time": "colour"}, "time", "is no time; numbers, or times as 2024-01-31 12:00"),
        ({}, {"group": "y"}, "group", "'y' is the target"),
        ({}, {"ignore": ["y"]}, "ignore", "'y' is the target"),
        ({}, {"ignore": ["color"]}, "ignore", "no column 'color'; did you mean 'colour'"),
        ({}, {"ignore": ["size", "colour"]}, "target", "'y' is the only column"),
        ({}, {"time": "size", "group": "colour"}, "group", "not both; leave out time or group"),
        ({"colour": "red"}, {"group": "colour"}, "group", "groups in 'colour' are too few"),
        ({"colour": [None, "red", "green"] * 20}, {"group": "colour"}, "group", "20 of 60 rows have none"),
        ({"size": [None] * 60}, {"time": "size"}, "time", "60 of 60 rows have none"),
        ({"size": 1}, {"time": "size"}, "time", "the times in 'size' are too few"),
        ({"z": np.resize(["N", "N", "J"], 60)}, {}, "target", "'z' has the classes, perhaps by other names, of"),
        ({"y": np.arange(60) / 7, "z": np.arange(60) / 7}, {}, "target", "'z' equals the target 'y'"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_of_the_hyperparameter(
    change: dict[str, Any], config: dict[str, Any], name: str, words: str, tmp_path: Path
) -> None:
    (found,) = problems(tmp_path, example().assign(**change), **config)
    assert (found.name, found.warning) == (name, False)
    assert words in str(found)


def test_a_leak_can_be_ignored(tmp_path: Path) -> None:
    leak = example().assign(z=np.resize(["N", "N", "J"], 60))
    (found,) = problems(tmp_path, leak)
    assert found.allowed == 'ignore: ["z"]'
    assert not problems(tmp_path, leak, ignore=["z"])


def test_what_is_to_be_ignored_can_be_copied_into_a_spec(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, example().rename_axis("row: 1, of all").reset_index())
    _, _, line = found.allowed.rpartition("to leave it out, ")
    assert not problems(tmp_path / "table.csv", **yaml.safe_load(line))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": ["no"] * 30 + ["yes"] * 29 + ["perhaps"]}, "no row for validation has the 'y' 'perhaps'"),
        ({"y": [None] * 12 + ["no", "yes"] * 24}, "12 of 60 rows have no 'y', and are left out"),
        ({"name": [f"customer {number}" for number in range(60)]}, "'name' has 60 different texts in 60 rows"),
        ({"Unnamed: 0": range(60)}, "the column 'Unnamed: 0' counts the rows"),
        ({"number": range(1000, 1060)}, "the column 'number' counts the rows"),
    ],
)
def test_what_can_be_trained_is_a_warning(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    (found,) = problems(tmp_path, example().assign(**change))
    assert found.warning
    assert words in found.problem


def test_a_class_that_a_feature_does_not_quite_tell_is_no_leak(tmp_path: Path) -> None:
    almost = np.resize(["N", "N", "J"], 60)
    almost[0] = "J"
    assert not problems(tmp_path, example().assign(z=almost))
    missing = problems(tmp_path, example().assign(z=[*np.resize(["N", "N", "J"], 59), None]))
    assert [each.warning for each in missing] == [True]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("table.csv.gz", b"x,y\n1,2\n", "cannot be read"),
        ("table.csv.gz", b"\x1f\x8b\x08\x00", "table.csv.gz"),
        ("table.parquet", b"x,y\n1,2\n", "not a table"),
        ("table.csv", b"", "no rows"),
        ("table.csv", b"\x00\xff\x00", "table.csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    (found,) = problems(tmp_path / name)
    assert found.name == "data"
    assert words in found.problem


def test_a_directory_is_no_table(tmp_path: Path) -> None:
    (found,) = problems(tmp_path)
    assert (found.name, found.problem) == ("data", f"{tmp_path} is a directory")


def test_looking_imports_neither_torch_nor_scikit_learn() -> None:
    code = """
import sys
from trainables.builtin.tabular import train
assert "pandas" not in sys.modules
config = train.declaration.defaults() | {"target": "churn"}
from pathlib import Path
assert all(each.warning for each in train.declaration.check_data(config | {"data": Path(sys.argv[1])}))
sys.exit(" ".join({"torch", "sklearn", "ray"} & sys.modules.keys()) or None)
"""
    done = subprocess.run([sys.executable, "-c", code, CHURN], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_parquet_file_may_have_lists_decimals_and_dates(tmp_path: Path) -> None:
    frame = example().assign(
        many=[[1, 2]] * 60,
        price=[Decimal(number) / 4 for number in range(60)],
        day=[date(2024, 1, 1) + timedelta(days=number) for number in range(60)],
    )
    frame.to_parquet(tmp_path / "table.parquet")
    read = read_source(tmp_path / "table.parquet", Choice(target="y")).features
    assert {name: str(kind) for name, kind in read.dtypes.items()}["price"] == "float64"
    assert is_number(read["day"])
    assert not problems(tmp_path / "table.parquet")
    assert not problems(tmp_path / "table.parquet", target="price", time="day")
    (found,) = problems(tmp_path / "table.parquet", target="many")
    assert "not numbers or text" in found.problem


def test_a_table_that_has_not_changed_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = example().assign(z=np.resize(["N", "N", "J"], 60))
    first = problems(tmp_path, frame)
    with monkeypatch.context() as patched:
        patched.setattr(tabular_check, "read_source", lambda *_: pytest.fail("the table is read again"))
        assert problems(tmp_path / "table.csv") == first
    assert first
    assert not problems(tmp_path, frame.drop(columns="z"))


def test_a_file_that_could_not_be_read_is_looked_into_once_it_can(tmp_path: Path) -> None:
    (missing,) = problems(tmp_path / "table.csv")
    assert "No such file" in missing.problem
    assert not problems(tmp_path, example())


def test_a_missing_or_infinite_value_is_said_with_its_column(tmp_path: Path) -> None:
    frame = example()
    frame.loc[[3, 4], "size"] = [np.nan, np.inf]
    frame.loc[5, "colour"] = None
    (said,) = problems(tmp_path, frame)
    assert said.warning
    assert "values are missing, of 60 rows: 'size' in 2, 'colour' in 1; the median stands in" in said.problem
    wide = example().assign(**{f"x{number}": [np.nan, *range(59)] for number in range(8)})
    (said,) = problems(tmp_path, wide)
    assert "'x4' in 1, 3 more columns" in said.problem
