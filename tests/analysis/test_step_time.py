"""How long a step took is read from the records of an earlier sweep of the same kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.analysis.time.step_time import earlier_paces, ranked
from tests.cli.recorded import record, spec


def test_a_pace_a_trial(tmp_path: Path) -> None:
    """The made-up trials take a second a step."""
    record(tmp_path)
    found = earlier_paces(tmp_path, spec(), None)
    assert found is not None
    assert (found.sweep, found.on_gpus, len(found.paces)) == ("made-up", False, 12)
    assert {(pace.step_s, pace.set_up_s) for pace in found.paces} == {(1.0, 0.0)}


def test_whether_trials_save_is_told_by_their_checkpoints_or_by_none_after_a_stop(tmp_path: Path) -> None:
    paths = record(tmp_path, scheduler={"method": "asha", "grace_period": 1, "variant": "stop"})
    stopping = earlier_paces(tmp_path, spec(), None)
    assert stopping is not None
    assert not stopping.saves
    paths.checkpoints(3).mkdir(parents=True)
    saving = earlier_paces(tmp_path, spec(), None)
    assert saving is not None
    assert saving.saves
    record(tmp_path, name="nothing-stopped", scheduler={"method": "none"})
    unknown = earlier_paces(tmp_path, spec(), None)
    assert unknown is not None
    assert unknown.saves


@pytest.mark.parametrize(("mode", "order"), [("min", [3, 1, 0, 4, 2]), ("max", [1, 3, 0, 4, 2])])
def test_the_best_is_who_was_let_go_furthest(mode: str, order: list[int]) -> None:
    trials = {0: (3, 0.1), 1: (9, 0.9), 2: (9, None), 3: (9, 0.2), 4: (3, 0.1)}
    assert ranked(trials, mode) == order


def test_paces_come_in_the_order_of_their_ranks(tmp_path: Path) -> None:
    record(tmp_path)
    found = earlier_paces(tmp_path, spec(), None)
    assert found is not None
    assert [pace.rank for pace in found.paces] == [number / 12 for number in range(12)]


def test_the_latest_counts_and_one_that_is_damaged_does_not(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        record(tmp_path, name=name)
    for number, name in enumerate(("one", "two", "three")):
        info = json.loads((tmp_path / name / "sweep.json").read_text())
        (tmp_path / name / "sweep.json").write_text(
            json.dumps(info | {"created": f"2026-01-0{number + 1}T00:00:00+00:00"})
        )
    found = earlier_paces(tmp_path, spec(), None)
    assert found is not None
    assert found.sweep == "three"
    for file in (tmp_path / "three" / "metrics").iterdir():
        file.write_bytes(b"no Parquet")
    found = earlier_paces(tmp_path, spec(), None)
    assert found is not None
    assert found.sweep == "two"


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"fixed": {"epochs": 900, "data": "data/a.csv"}}, True),
        ({"fixed": {"epochs": 9, "data": "data/b.csv"}}, False),
        ({"trainable": "train.py:other"}, False),
        ({"search": {"method": "sobol"}}, True),
    ],
)
def test_of_the_same_trainable_and_fixed_values(tmp_path: Path, change: dict[str, Any], same: bool) -> None:
    record(tmp_path)
    assert (earlier_paces(tmp_path, spec(**change), None) is not None) == same


def test_nothing_recorded_is_no_tempo(tmp_path: Path) -> None:
    assert earlier_paces(tmp_path / "none", spec(), None) is None
