"""`sweep export` on a recorded sweep; what the targets read is tested in tests/export/."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import Ran
from tests.cli.recorded import record

Sweep = Callable[..., Ran]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    record(tmp_path / "results")
    return tmp_path / "results"


def test_the_directory_is_the_answer(sweep: Sweep, results: Path, tmp_path: Path) -> None:
    ran = sweep("export", "--to", "csv")
    assert (ran.code, ran.out) == (0, "made-up-csv\n")
    assert ran.err.startswith("trials.csv, metrics.csv and events.csv, ")
    assert len(pd.read_csv(tmp_path / "made-up-csv" / "trials.csv")) == 12
    again = sweep("export", "--to", "csv")
    assert (again.code, again.out) == (2, "")
    assert "made-up-csv already exists" in again.err


def test_it_says_how_to_look_at_it(sweep: Sweep, results: Path) -> None:
    assert "tensorboard --logdir deep/down\n" in sweep("export", "--to", "tensorboard", "-o", "deep/down").err


def test_nothing_is_written_into_a_sweep(sweep: Sweep, results: Path) -> None:
    before = sorted(results.rglob("*"))
    ran = sweep("export", "made-up", "--to", "csv", "-o", "results/made-up/csv")
    assert (ran.code, ran.out) == (2, "")
    assert "where only its driver writes" in ran.err
    assert sorted(results.rglob("*")) == before
