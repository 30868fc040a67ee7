"""How long a step took is read from the records of an earlier sweep of the same kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.analysis.tempo import tempo
from tests.cli.recorded import record, spec


def test_a_pace_a_trial(tmp_path: Path) -> None:
    """The made-up trials take a second a step."""
    record(tmp_path)
    found = tempo(tmp_path, spec(), None)
    assert found is not None
    assert (found.sweep, found.on_gpus, len(found.paces)) == ("made-up", False, 12)
    assert {(pace.step_s, pace.set_up_s) for pace in found.paces} == {(1.0, 0.0)}


def test_the_latest_counts_and_one_that_is_damaged_does_not(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        record(tmp_path, name=name)
    for number, name in enumerate(("one", "two", "three")):
        info = json.loads((tmp_path / name / "sweep.json").read_text())
        (tmp_path / name / "sweep.json").write_text(json.dumps(info | {"created": f"2026-01-0{number + 1}"}))
    found = tempo(tmp_path, spec(), None)
    assert found is not None
    assert found.sweep == "three"
    for file in (tmp_path / "three" / "metrics").iterdir():
        file.write_bytes(b"no Parquet")
    found = tempo(tmp_path, spec(), None)
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
    assert (tempo(tmp_path, spec(**change), None) is not None) == same


def test_nothing_recorded_is_no_tempo(tmp_path: Path) -> None:
    assert tempo(tmp_path / "none", spec(), None) is None
