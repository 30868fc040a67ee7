"""`sweep ls`: one line for each sweep, in every format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.control.lease import Lease
from tests.cli.conftest import Ran, csv_rows

Sweep = Callable[..., Ran]


def test_a_line_a_sweep(sweep: Sweep, results: Path) -> None:
    lines = sweep("ls").out.splitlines()
    assert lines[0].split() == ["name", "status", "trials", "best", "metric", "age", "trainable", "states"]
    assert lines[1].split()[:5] == ["made-up", "finished", "12", "1.00002", "loss"]
    assert lines[1].endswith("train.py:train  8 stopped, 2 diverged, 2 failed")
    assert lines[2].split()[:5] == ["made-up-2", "halted", "4", "–", "loss"]


def test_json(sweep: Sweep, results: Path) -> None:
    first, second = json.loads(sweep("ls", "--format", "json").out)
    assert first["states"] == {"stopped": 8, "diverged": 2, "failed": 2}
    assert first["best"] == pytest.approx(1.00002, abs=1e-5)
    assert second["best"] is None


def test_csv(sweep: Sweep, results: Path) -> None:
    first, second = csv_rows(sweep("ls", "--format", "csv").out)
    assert (first["name"], first["stopped"], second["cancelled"]) == ("made-up", "8", "1")


def test_no_sweeps(sweep: Sweep) -> None:
    ran = sweep("ls")
    assert (ran.code, ran.out) == (0, "")
    assert "no sweeps in results" in ran.err


def test_damage_is_a_status(sweep: Sweep, results: Path) -> None:
    (results / "made-up" / "trials.parquet").write_bytes(b"PAR1")
    (results / "made-up-2" / "sweep.json").write_text('{"schema": 1}')
    ran = sweep("ls")
    assert ran.code == 0
    assert ran.out.count("damaged") >= 2


def test_a_sweep_that_runs_and_one_whose_driver_died(sweep: Sweep, results: Path) -> None:
    lease = Lease.acquire(results / "made-up" / "lease.json")
    other = results / "made-up-2" / "lease.json"
    held = json.loads(lease._path.read_text())
    other.write_text(json.dumps({**held, "pid": 2**22 + 1}))
    found = json.loads(sweep("ls", "--format", "json").out)
    assert [each["status"] for each in found] == ["running", "died"]
    lease.release()


def test_the_results_directory_comes_from_the_environment(
    sweep: Sweep, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    monkeypatch.setenv("SWEEP_RESULTS", str(results))
    assert "made-up" in sweep("ls").out
