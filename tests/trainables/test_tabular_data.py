"""Reading, splitting and preprocessing a table, without leaking validation or test rows into training."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trainables.builtin import tabular_source
from trainables.builtin.tabular_columns import numbers, read_target
from trainables.builtin.tabular_data import Table, load
from trainables.builtin.tabular_source import Choice
from trainables.data import cache
from trainables.data.table_file import read_table

CHURN = Path(__file__).parents[2] / "examples" / "data" / "telco_churn.csv"


def table_of(frame: pd.DataFrame, path: Path, **options: Any) -> Table:
    frame.to_csv(path / "table.csv", index=False)
    return load(path / "table.csv", Choice(target="y", **options))


def example(rows: int = 60) -> pd.DataFrame:
    """A table with a number, a text and a target of two classes, in the ratio of two to one."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "size": rng.normal(size=rows).round(3),
            "colour": rng.choice(["red", "green", "blue"], rows),
            "y": np.resize(["no", "no", "yes"], rows),
        }
    )


# ---------------------------------------------------------------------------------------------------- shares


def test_a_share_of_the_training_rows_leaves_the_other_parts_alone(tmp_path: Path) -> None:
    whole = table_of(example(), tmp_path)
    half = table_of(example(), tmp_path, data_fraction=0.5)
    assert len(half.rows.train) == len(whole.rows.train) / 2
    assert (half.rows.validation == whole.rows.validation).all()
    assert (half.rows.test == whole.rows.test).all()
    assert half.train_inputs[:, 0].mean() == pytest.approx(0, abs=1e-6)  # standardized by the rows that are used
    with pytest.raises(ValueError, match="above 0"):
        table_of(example(), tmp_path, data_fraction=0.0)


def test_classes_keep_their_shares_and_a_rare_one_stays_in_training(tmp_path: Path) -> None:
    frame = example(300)
    frame.loc[7, "y"] = "perhaps"
    table = table_of(frame, tmp_path)
    assert table.classes == ("no", "perhaps", "yes")
    assert np.bincount(table.validation_targets, minlength=3).tolist() == [40, 0, 20]
    assert np.bincount(table.train_targets).tolist() == [119, 1, 60]


# -------------------------------------------------------------------------------------------- preprocessing


def test_preprocessing_is_fitted_on_the_training_rows_only(tmp_path: Path) -> None:
    frame = example()
    before = table_of(frame, tmp_path)
    for part in (before.rows.validation, before.rows.test):
        frame.loc[part[0], ["size", "colour"]] = [1e6, "violet"]
        frame.loc[part[1], ["size", "colour"]] = [None, None]

    after = table_of(frame, tmp_path)

    assert (after.numbers, after.categories) == (before.numbers, before.categories)
    assert np.array_equal(after.train_inputs, before.train_inputs)
    assert after.validation_inputs[:2, -1].tolist() == [0, 0], "unknown in training: none of its categories"
    assert np.isfinite(after.validation_inputs).all()
    assert np.array_equal(after.validation_inputs[2:], before.validation_inputs[2:])


def test_test_rows_change_nothing_at_all(tmp_path: Path) -> None:
    frame = example()
    before = table_of(frame, tmp_path)
    frame.loc[before.rows.test, ["size", "colour"]] = [-5.0, "violet"]
    after = table_of(frame, tmp_path)
    assert np.array_equal(after.train_inputs, before.train_inputs)
    assert np.array_equal(after.validation_inputs, before.validation_inputs)


def test_missing_values_become_the_median_and_categories_of_their_own(tmp_path: Path) -> None:
    frame = example()
    frame.loc[::4, "size"] = None
    frame.loc[::5, "colour"] = None
    frame["infinite"] = np.where(frame.index % 3 == 0, np.inf, frame.index)
    frame["empty"] = np.nan
    table = table_of(frame, tmp_path)
    assert set(table.numbers) == {
        "size", "missingindicator_size", "infinite", "missingindicator_infinite", "empty", "missingindicator_empty",
    }  # fmt: skip
    assert table.categories == {"colour": ("(missing)", "blue", "green", "red")}
    assert np.isfinite(table.train_inputs).all()
    train = dict(zip((*table.numbers, "colour"), table.train_inputs.T, strict=True))
    missing = frame["size"].iloc[table.rows.train].isna().to_numpy()
    assert len(set(train["size"][missing].tolist())) == 1
    assert np.array_equal(train["missingindicator_size"] > 0, missing)
    colours = frame["colour"].fillna("(missing)").iloc[table.rows.train]
    assert [table.categories["colour"][int(code) - 1] for code in train["colour"]] == colours.tolist()


def test_rare_categories_and_unknown_ones_share_a_code(tmp_path: Path) -> None:
    frame = example(400)
    frame["customer"] = [f"c{i}" if i % 2 else f"often{i % 60}" for i in range(400)]
    table = table_of(frame, tmp_path)
    kinds = table.categories["customer"]
    assert len(kinds) == 50
    assert kinds[-1] == "(rare)"
    assert sum(kind.startswith("often") for kind in kinds) == 30
    found = dict(zip(frame["customer"].iloc[table.rows.validation], table.validation_inputs[:, -1], strict=True))
    assert all(found[each] in ((50,) if each not in kinds else (kinds.index(each) + 1,)) for each in found)
    assert 50 in found.values()


def test_numbers_are_standardized_by_the_training_rows(tmp_path: Path) -> None:
    table = table_of(example(), tmp_path)
    sizes = table.train_inputs[:, table.numbers.index("size")]
    assert abs(sizes.mean()) < 1e-6
    assert sizes.std() == pytest.approx(1)


@pytest.mark.parametrize(
    ("texts", "seconds"),
    [
        (["2024-01-31", "2024-02-01", None], [1706659200, 1706745600, np.nan]),
        (["2024-01-31 12:00", "2024-02-01T00:00:30.5", None], [1706702400, 1706745630.5, np.nan]),
        (["2024-01-31T01:00+01:00", "2024-07-31T02:00+02:00", None], [1706659200, 1722384000, np.nan]),
        (["2024-01-31T01:00+01:00", "2024-02-01T01:00+01:00", None], [1706659200, 1706745600, np.nan]),
        (["1066-10-14", "9999-12-31", None], [-28502755200, 253402214400, np.nan]),
    ],
    ids=lambda values: str(values[0]),
)
def test_dates_written_as_text_are_numbers(texts: list[str | None], seconds: list[float], tmp_path: Path) -> None:
    for path in (tmp_path / "table.csv", tmp_path / "table.parquet"):
        frame = pd.DataFrame({"x": range(3), "day": texts})
        frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path)
        np.testing.assert_allclose(numbers(read_table(path)["day"]), seconds)


@pytest.mark.parametrize(
    "texts", [["2024-01-31", "soon"], ["2024-13-01", "2024-01-31"], ["1234-56-78", "2"], ["2024-01-311", "b"]]
)
def test_other_text_stays_text(texts: list[str], tmp_path: Path) -> None:
    pd.DataFrame({"x": range(2), "day": texts}).to_csv(tmp_path / "table.csv", index=False)
    assert read_table(tmp_path / "table.csv")["day"].tolist() == texts


def test_parquet_reads_like_csv(tmp_path: Path) -> None:
    frame = example().assign(flag=lambda f: f["size"] > 0, when=pd.date_range("2024-01-01", periods=60))
    frame["when"] = frame["when"].where(frame.index != 3)
    frame["kind"] = frame["colour"].astype("category")
    frame["count"] = pd.array([*range(59), None], dtype="Int64")
    frame.to_parquet(tmp_path / "table.parquet")
    table = load(tmp_path / "table.parquet", Choice(target="y"))
    assert {"flag", "when", "count"} <= set(table.numbers)
    assert table.categories["kind"] == ("blue", "green", "red")
    assert np.isfinite(table.train_inputs).all()
    assert np.array_equal(table.rows.train, table_of(example(), tmp_path).rows.train)


# --------------------------------------------------------------------------------------------------- target


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (["no", "yes"], "binary", ("no", "yes")),
        ([True, False], "binary", (False, True)),
        ([0, 1], "binary", (0, 1)),
        ([1.0, 0.0], "binary", (0.0, 1.0)),
        (["a", "c", "b"], "multiclass", ("a", "b", "c")),
        (range(20), "multiclass", tuple(range(20))),
        (range(21), "regression", ()),
        ([0.5, 1.5], "regression", ()),
    ],
)
def test_the_task_is_found(values: list[Any], task: str, classes: tuple[Any, ...]) -> None:
    found, targets, in_order = read_target(pd.Series(list(values) * 3), "auto")
    assert (found, in_order) == (task, classes)
    assert len(targets) == 3 * len(values)


def test_a_regressions_target_is_standardized(tmp_path: Path) -> None:
    frame = example().assign(y=lambda f: f["size"] * 1000 + 5000)
    table = table_of(frame, tmp_path)
    assert table.goal.name == "regression"
    assert abs(table.train_targets.mean()) < 1e-6
    assert table.goal.scale == pytest.approx(frame["y"].iloc[table.rows.train].std(ddof=0))


def test_rows_without_a_target_are_left_out(tmp_path: Path) -> None:
    frame = example()
    frame.loc[:9, "y"] = None
    table = table_of(frame, tmp_path)
    assert sum(map(len, (table.rows.train, table.rows.validation, table.rows.test))) == 50
    assert table.classes == ("no", "yes")


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"target": "color"}, r"no column 'color'; did you mean 'colour'\? columns: size, colour, y"),
        ({}, {"target": "profit"}, r"no column 'profit'; columns: size, colour, y"),
        ({"y": "no"}, {}, r"target 'y': 60 rows with 1 distinct values"),
        ({"y": np.nan}, {}, r"target 'y': 0 rows with 0 distinct values"),
        ({"y": [f"{i} €" for i in range(60)]}, {}, r"'y': 60 distinct values in 60 rows are too many for classes"),
        ({}, {"task": "regression"}, r"target 'y': a regression needs numbers; the column has text, such as 'no'"),
        ({"y": np.resize([0, 1, 2], 60)}, {"task": "binary"}, r"binary task needs two values; the column has 3"),
        ({}, {"validation": 0.7, "test": 0.3}, r"must be shares that leave rows for training"),
        ({}, {"validation": 0.001}, r"60 rows are too few for validation=0.001"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(
    change: dict[str, Any], options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    example().assign(**change).to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "table.csv", Choice(**({"target": "y"} | options)))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("table.csv", "", "no rows"),
        ("table.csv", "x,y\n", "no rows"),
        ("table.csv", "y\n1\n2\n", "only column"),
        ("table.xls", "x", "must end in .csv"),
        ("table.csv", "é,y\n1,2\n", "table.csv: not UTF-8: .* at byte 0"),
        ("table.csv", "x,y\n1,2\n1,2,3\n", "table.csv: not a table: .* Expected 2 fields in line 3, saw 3$"),
        ("table.csv", "x;y\n1;2\n", "table.csv: columns are separated by ';'; a CSV file must use commas"),
    ],
)
def test_a_file_that_is_no_table_is_refused(name: str, content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=message):
        load(tmp_path / name, Choice(target="y"))


def test_a_missing_file_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nowhere.csv", Choice(target="y"))


# --------------------------------------------------------------------------------------------- kept results


def test_a_table_is_read_from_the_files_of_the_first_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = table_of(example(), tmp_path)
    monkeypatch.setattr(cache, "_used", {})  # as in another process
    monkeypatch.setattr(tabular_source, "read_table", lambda path: pytest.fail("the file is read a second time"))
    second = load(tmp_path / "table.csv", Choice(target="y"))
    assert second.train_inputs is not first.train_inputs
    for name in ("train_inputs", "train_targets", "validation_inputs", "validation_targets"):
        assert isinstance(getattr(second, name), np.memmap)
        assert np.array_equal(getattr(second, name), getattr(first, name))
    assert all(map(np.array_equal, second.test_part(), first.test_part()))
    for name in ("goal", "classes", "numbers", "categories"):
        assert getattr(second, name) == getattr(first, name)


def test_a_changed_file_and_other_options_give_other_arrays(tmp_path: Path) -> None:
    frame = example()
    first = table_of(frame, tmp_path)
    assert not np.array_equal(
        load(tmp_path / "table.csv", Choice(target="y", split_seed=1)).rows.train, first.rows.train
    )
    os.utime(tmp_path / "table.csv", ns=(1, 1))
    touched = load(tmp_path / "table.csv", Choice(target="y"))
    assert touched.train_inputs is first.train_inputs, "its content is the same"
    changed = table_of(frame.assign(size=frame["size"] ** 2), tmp_path)
    assert np.array_equal(changed.rows.train, first.rows.train)
    assert not np.array_equal(changed.train_inputs, first.train_inputs)


def test_churn_is_read_as_it_is() -> None:
    table = load(CHURN, Choice(target="churn"))
    assert (table.goal.name, table.classes) == ("binary", ("No", "Yes"))
    assert [len(part) for part in (table.rows.train, table.rows.validation, table.rows.test)] == [
        4225,
        1409,
        1409,
    ]
    assert table.validation_targets.mean() == pytest.approx(0.265, abs=0.001)


def test_the_test_part_is_preprocessed_by_what_the_training_rows_say(tmp_path: Path) -> None:
    frame = example()
    rows = table_of(frame, tmp_path).rows
    frame.loc[rows.test, "size"] += 100.0  # which would move the mean
    frame.to_csv(tmp_path / "table.csv", index=False)
    table = load(tmp_path / "table.csv", Choice(target="y"))
    inputs, targets = table.test_part()
    fitted = frame["size"].iloc[table.rows.train]
    expected = (frame["size"].iloc[table.rows.test] - fitted.mean()) / fitted.std(ddof=0)
    assert inputs[:, table.numbers.index("size")] == pytest.approx(expected.to_numpy(), rel=1e-5)
    assert targets.tolist() == [float(y == "yes") for y in frame["y"].iloc[table.rows.test]]
