"""Damaged or edited records, drivers that meet, clocks that jump: each ends in a sentence, or goes on right."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from orchestrator.cli.app import main
from orchestrator.core import events
from orchestrator.core.node_health import Node
from orchestrator.records.paths import SweepPaths
from tests.cli.recorded import record
from tests.core.test_replay import make
from trainables.report import Report

TRAIN = """
def train(config, trial):
    for step in range(1, config["epochs"] + 1):
        trial.report(step=step, loss=config["lr"] + 1 / step)
"""
EASY = {
    "space": {"lr": {"loguniform": [1e-6, 1e-1]}, "kind": {"choice": ["good", "fine"]}},
    "scheduler": {"method": "none"},
}


@pytest.fixture
def halted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepPaths:
    """A sweep of twelve trials that was ended after three, and its trainable."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWEEP_RESULTS", raising=False)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "train.py").write_text(TRAIN)
    return record(tmp_path / "results", halt_after=3, **EASY)


def torn(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-20])
    return path


def newest(directory: Path) -> Path:
    return max(directory.glob("*.parquet"))


def foreign(paths: SweepPaths) -> Path:
    path = paths.metrics / "mine.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(path)
    return path


def newer(paths: SweepPaths) -> Path:
    paths.info.write_text(paths.info.read_text().replace('"schema": ', '"schema": 99'))
    return paths.info


DAMAGE: dict[str, Callable[[SweepPaths], Path]] = {
    "metrics": lambda paths: torn(newest(paths.metrics)),
    "events": lambda paths: torn(newest(paths.events)),
    "trials": lambda paths: torn(paths.trials_table),
    "foreign": foreign,
    "newer": newer,
}


@pytest.mark.parametrize("command", ["show", "best", "resume"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_a_sentence_and_stays_as_it_is(
    halted: SweepPaths, damage: str, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = DAMAGE[damage](halted)
    before = {file: file.read_bytes() for file in halted.root.rglob("*") if file.is_file()}
    code = main([command, halted.name])
    out, err = capfd.readouterr()
    after = {file: file.read_bytes() for file in halted.root.rglob("*") if file.is_file() and "lease" not in file.name}
    assert after.items() <= before.items()
    assert "Traceback" not in out + err
    assert "mistake in sweep" not in out + err
    if code == 0:  # it asks for nothing that is damaged
        assert command in ("show", "best")
        return
    assert code in (1, 2)
    assert path.name in err
    assert len(err.strip().splitlines()) <= 2


def test_of_two_resumes_one_runs_what_was_launched(halted: SweepPaths) -> None:
    """The spec beside the records is a copy to look at: what goes on is the effective one, in sweep.json."""
    halted.spec.write_text("budget: {trials: 1}\nspace: {}\n")
    before = pd.read_parquet(halted.trials_table)
    metrics = pd.read_parquet(halted.metrics)
    command = [sys.executable, "-m", "orchestrator", "resume", halted.name]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        for _ in range(2)
    ]
    said = {process.pid: process.communicate(timeout=120)[0] for process in both}
    codes = {process.pid: process.returncode for process in both}
    assert sorted(codes.values()) == [0, 2], said
    winner, loser = sorted(codes, key=lambda pid: codes[pid])
    assert re.search(rf"has been running for \d+ min \(pid {winner} on \S+\)", said[loser])
    trials, rows = pd.read_parquet(halted.trials_table), pd.read_parquet(halted.metrics)
    assert trials["state"].tolist() == ["completed"] * 12
    assert trials["config.lr"].tolist()[: len(before)] == before["config.lr"].tolist()
    assert len(rows) == 12 * 9
    assert not rows.duplicated(["trial", "step"]).any()
    pd.testing.assert_frame_equal(rows.iloc[: len(metrics)], metrics)


def test_a_clock_that_jumps_makes_no_training_negative() -> None:
    """Seconds of training come from the workers' own clocks."""
    for jump in (-3600.0, 3600.0):
        sweep = make(trials=2, budget={"trials": 2}, scheduler={"method": "none"})
        start = sweep.ask(1e9)
        assert start is not None
        sweep.on(events.Started(trial=start.trial, at=1e9))
        for step in range(1, 28):
            at = 1e9 + step + (jump if step > 9 else 0.0)
            report = Report(step=step, train_s=float(step), reported_at=at, metrics={"loss": 1 / step})
            sweep.on(events.Ticked(at=at))
            sweep.on(events.Reported(trial=start.trial, at=at, reports=[report], node=Node(id="1", name="here")))
        row = sweep.trials[start.trial].row(1e9 + 28 + jump)
        assert row.train_s == 27
        assert row.overhead_s >= 0
        assert sweep.halted is None
