"""Nothing that a trial must not know reaches it: planted leaks of each kind change nothing, or are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from trainables.builtin.sequence_data import Sequences, load
from trainables.builtin.sequence_source import PARTS, Choice, Steps, origins
from trainables.builtin.sequence_windows import Windows, forecasts, whole_sequences
from trainables.data.problems import DataError
from trainables.data.split import split_in_time

HORIZON, WINDOW = 3, 5


def panel() -> pd.DataFrame:
    """Three series of other lengths, which begin and end at other times."""
    rng = np.random.default_rng(0)
    spans = {"a": (0, 100), "b": (20, 90), "c": (40, 100)}
    frames = [
        pd.DataFrame(
            {
                "who": name,
                "at": np.arange(*span),
                "y": rng.normal(size=span[1] - span[0]),
                "x": rng.normal(size=span[1] - span[0]),
                "word": rng.choice(["red", "green"], span[1] - span[0]),
            }
        )
        for name, span in spans.items()
    ]
    return pd.concat(frames, ignore_index=True)


def labelled() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "who": np.repeat(np.arange(40), 4),
            "at": np.tile(np.arange(4), 40),
            "x": rng.normal(size=160),
            "word": rng.choice(["red", "green"], 160),
            "kind": np.repeat(np.resize(["a", "b"], 40), 4),
        }
    )


def prepared(frame: pd.DataFrame, directory: Path, **choice: Any) -> Sequences:
    path = directory / "table.parquet"
    frame.to_parquet(path)
    return load(path, Choice(**({"target": "y", "time": "at", "group": "who"} | choice)))


def everything(windows: Windows) -> tuple[torch.Tensor, torch.Tensor]:
    return windows.batch(torch.arange(len(windows)))


def part(data: Sequences, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    return everything(forecasts(data, name, window=WINDOW, horizon=HORIZON, season=2))


def same(one: tuple[torch.Tensor, torch.Tensor], other: tuple[torch.Tensor, torch.Tensor]) -> bool:
    return all(
        a.shape == b.shape and torch.equal(a.nan_to_num(-9), b.nan_to_num(-9)) for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize(("later", "unchanged"), [(2, ("train", "validation")), (1, ("train",))])
def test_what_comes_later_changes_nothing_before(later: int, unchanged: tuple[str, ...], tmp_path: Path) -> None:
    """Scales, categories, inputs for missing values, the season: none is learned from validation or test rows."""
    frame = panel()
    before = prepared(frame, tmp_path)
    moment = frame["at"].to_numpy()[before.part >= later].min()  # rows are in order here
    changed = frame.copy()
    rows = changed["at"] >= moment
    changed.loc[rows, ["y", "x"]] = changed.loc[rows, ["y", "x"]] * 1000 + 77
    changed.loc[rows, "word"] = "blue"
    changed.loc[rows & (changed["at"] % 7 == 0), ["y", "x"]] = np.nan
    after = prepared(changed, tmp_path)

    assert after.names == before.names
    assert after.season == before.season
    np.testing.assert_array_equal([after.centre, after.unit], [before.centre, before.unit])
    for name in PARTS:
        assert same(part(before, name), part(after, name)) == (name in unchanged), name


def test_a_window_holds_nothing_that_comes_after_it(tmp_path: Path) -> None:
    """Values are missing everywhere; each is filled from the past, so a change of the future shows in no window."""
    frame = panel()
    frame.loc[frame.index % 3 == 0, ["y", "x"]] = np.nan
    before = prepared(frame, tmp_path)
    windows = forecasts(before, "test", window=WINDOW, horizon=HORIZON, season=2)
    last = windows.last[len(windows) // 2]
    changed = frame.copy()
    changed.loc[changed["at"] > changed["at"][int(last)], ["y", "x"]] = 1e6
    after = forecasts(prepared(changed, tmp_path), "test", window=WINDOW, horizon=HORIZON, season=2)
    (inputs, targets), (changed_inputs, changed_targets) = (
        each.batch(torch.nonzero(each.last == last)[:, 0]) for each in (windows, after)
    )
    assert torch.equal(inputs, changed_inputs)
    assert not torch.equal(targets, changed_targets)


def test_no_moment_is_predicted_in_two_parts_by_any_series(tmp_path: Path) -> None:
    """A series whose rows are cut by themselves would teach the others' future."""
    data = prepared(panel(), tmp_path)
    times = panel()["at"].to_numpy()
    predicted = {}
    for name in PARTS:
        last = origins(data.steps, name, window=WINDOW, horizon=HORIZON)
        predicted[name] = times[last[:, None] + np.arange(1, HORIZON + 1)]
    assert predicted["train"].max() < predicted["validation"].min()
    assert predicted["validation"].max() < predicted["test"].min()


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 40)), min_size=1, max_size=4),
    st.integers(1, 12),
    st.integers(1, 12),
)
def test_the_rows_of_a_window_are_of_one_series_and_its_targets_of_one_part(
    spans: list[tuple[int, int]], window: int, horizon: int
) -> None:
    times = np.concatenate([np.arange(begin, begin + rows) for begin, rows in spans])
    first = np.concatenate([[0], np.cumsum([rows for _, rows in spans])])
    rows = split_in_time(times, validation=0.3, test=0.2)
    parts = np.zeros(len(times), dtype=np.int8)
    parts[rows.validation], parts[rows.test] = 1, 2
    steps = Steps(source="x", targets=np.ones(len(times)), first=first, part=parts)
    seen = []
    for number, name in enumerate(PARTS):
        try:
            last = origins(steps, name, window=window, horizon=horizon)
        except DataError:
            continue
        ahead = last[:, None] + np.arange(1, horizon + 1)
        behind = last[:, None] - np.arange(window)
        assert (parts[ahead] == number).all()
        assert (steps.series[ahead] == steps.series[last][:, None]).all()
        assert behind.min() >= 0
        assert (steps.series[behind] == steps.series[last][:, None]).all()
        seen.append(set(ahead.ravel().tolist()))
    assume(seen)
    assert sum(map(len, seen)) == len(set().union(*seen))


@pytest.mark.parametrize("ahead", [1, 2, 24])
def test_a_column_that_is_a_later_target_is_refused(ahead: int, tmp_path: Path) -> None:
    frame = panel()
    leak = frame.assign(next=frame.groupby("who")["y"].shift(-ahead))
    with pytest.raises(DataError, match=rf"the column 'next' is the target 'y' as it is {ahead} rows? later"):
        prepared(leak, tmp_path)
    assert "next" not in prepared(leak, tmp_path, ignore=("next",)).names
    for lag in (0, ahead):  # the past and the present are known when a forecast is made
        data = prepared(frame.assign(before=frame.groupby("who")["y"].shift(lag)), tmp_path)
        assert "before" in data.names


def test_neither_time_nor_group_nor_class_is_an_input(tmp_path: Path) -> None:
    assert prepared(panel(), tmp_path).names == ("y", "x", "word_green", "word_red")
    data = prepared(labelled(), tmp_path, target="kind")
    assert data.names == ("x", "word_green", "word_red")


def test_a_sequence_is_in_one_part(tmp_path: Path) -> None:
    data = prepared(labelled(), tmp_path, target="kind")
    chosen = [whole_sequences(data, name, window=4).last.tolist() for name in PARTS]
    assert sorted([*chosen[0], *chosen[1], *chosen[2]]) == list(range(3, 160, 4))
    assert [len(rows) for rows in chosen] == [24, 8, 8]


@pytest.mark.parametrize(("later", "unchanged"), [(2, ("train", "validation")), (1, ("train",))])
def test_sequences_of_one_part_change_nothing_in_another(
    later: int, unchanged: tuple[str, ...], tmp_path: Path
) -> None:
    frame = labelled()
    before = prepared(frame, tmp_path, target="kind")
    rows = np.repeat(before.part >= later, 4)
    changed = frame.copy()
    changed.loc[rows, "x"] = changed.loc[rows, "x"] * 1000 + 77
    changed.loc[rows, "word"] = "blue"
    changed.loc[rows & (frame["at"] == 1), "x"] = np.nan
    after = prepared(changed, tmp_path, target="kind")
    assert after.names == before.names
    for name in PARTS:
        one, other = (everything(whole_sequences(data, name, window=4)) for data in (before, after))
        assert same(one, other) == (name in unchanged), name


def test_a_column_that_tells_the_class_is_refused(tmp_path: Path) -> None:
    frame = labelled()
    leak = frame.assign(diagnosis=frame["kind"].map({"a": 7, "b": 9}))
    with pytest.raises(DataError, match="the column 'diagnosis' has the classes, perhaps by other names"):
        prepared(leak, tmp_path, target="kind")
    leak.loc[0:3, "diagnosis"] = 9  # one sequence is otherwise: a feature, and a good one
    assert "diagnosis" in prepared(leak, tmp_path, target="kind").names
