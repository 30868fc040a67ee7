"""The driver loop on a disk that refuses: it waits, loses nothing, and can still be stopped. Without Ray."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from orchestrator import steady_clock
from orchestrator.control.lease import LeaseLostError
from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import TrialRow
from orchestrator.core.sweep import Sweep
from orchestrator.driver import loop
from orchestrator.driver.found_space import FoundSpace
from orchestrator.driver.journal_retention import JournalRetention
from orchestrator.driver.loop import DriverLoop
from orchestrator.driver.observer import CheckpointTrouble
from orchestrator.driver.waiting import Waiting
from orchestrator.errors import RecordsError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.recorder import Recorder
from orchestrator.spec import parse_spec
from orchestrator.steady_clock import SteadyClock
from tests.records.failing_disk import FailingDisk
from trainables.report import Report

STEPS = 4


class Listener:
    """An observer that keeps every message."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str | None]] = []
        self.shown = 0

    def show(self, sweep: Sweep, now: float) -> None:
        self.shown += 1

    def trouble(self, what: str, why: str | None) -> None:
        self.messages.append((what, why))


class Driver:
    """A session without Ray: a loop and what the loop needs."""

    def __init__(self, root: Path, ended: Callable[[TrialRow], object] = lambda row: None, **budget: float) -> None:
        data: dict[str, Any] = {
            "trainable": "x:train",
            "space": {"x": {"uniform": [0, 1]}},
            "objective": {"metric": "loss"},
            "search": {"method": "random"},
            "budget": {"trials": 10} | budget,
        }
        self.paths = SweepPaths(root / "s")
        self.paths.root.mkdir()
        self.disk = FailingDisk(lambda count: False)
        self.sweep = build_sweep(parse_spec(data, base=root), None)
        self.listener = self.observer = Listener()
        self.heard: list[events.Event] = []
        self.lease = SimpleNamespace(beat=lambda: None)
        self.retention = SimpleNamespace(trial_ended=ended)
        self.commands = SimpleNamespace(grace_s=None)
        self.waiting = Waiting(self.sweep, self.observer)
        self.journals = JournalRetention(self.sweep, self.paths)
        self.diagnosis = SimpleNamespace(diagnosed=lambda rows: rows)
        self.found_space = FoundSpace(self.sweep.space, self.paths)
        self.recorder = Recorder(
            self.paths,
            sweep="s",
            parameters={"x": "float"},
            metrics=["loss"],
            disk=self.disk,
            clock=lambda: 0.0,  # writing takes no time, so the next write is due at once
            logs_every=0.0,
            trials_every=0.0,
        )
        session: Any = self
        self.loop = DriverLoop(session, retry_s=0.02)

    def poll(self, now: float) -> list[events.Event]:
        return self.heard

    def refuse(self, for_s: float | None = None) -> None:
        until = time.monotonic() + for_s if for_s is not None else float("inf")
        self.disk.fails = lambda count: time.monotonic() < until

    def train(self) -> None:
        """Run one trial, with a tick after each report."""
        start = self.sweep.ask(self.loop.tick())
        assert start is not None
        self.sweep.on(events.Started(trial=start.trial, at=time.time()))
        for step in range(1, STEPS + 1):
            report = Report(step=step, train_s=0.1 * step, reported_at=0.0, metrics={"loss": 1.0 / step})
            self.sweep.on(events.Reported(trial=start.trial, at=time.time(), reports=[report]))
            self.loop.tick()
        self.sweep.on(events.Finished(trial=start.trial, at=time.time()))

    def read(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.paths.root / name)

    def check(self, trials: int) -> None:
        metrics, happened, table = (self.read(name) for name in ("metrics", "events", "trials.parquet"))
        steps = [(trial, step) for trial in range(trials) for step in range(1, STEPS + 1)]
        assert list(zip(metrics["trial"], metrics["step"], strict=True)) == steps
        assert table["state"].tolist() == ["completed"] * trials
        assert happened.groupby("trial")["event"].apply(list).tolist() == [["pending", "running", "completed"]] * trials


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "TICK_S", 0.0)
    monkeypatch.setattr(loop, "LAST_S", 0.1)


def test_the_loop_blocks_until_the_records_are_written(tmp_path: Path) -> None:
    driver = Driver(tmp_path)
    driver.train()
    driver.refuse(for_s=0.3)
    began = time.monotonic()
    driver.train()
    assert time.monotonic() - began > 0.3
    driver.train()
    driver.loop.finish()
    driver.check(3)
    (_, why), over = driver.listener.messages
    assert why is not None
    assert why.startswith(f"waiting for the records: cannot write {driver.paths.root}")
    assert why.endswith(".parquet: No space left on device; trials wait at their next report")
    assert over == ("the records", None)


def test_nothing_is_lost_or_doubled_wherever_the_disk_fails(tmp_path: Path) -> None:
    """Every seventh operation fails, so that each kind fails at some time, at every point of a round."""
    driver = Driver(tmp_path)
    driver.disk.fails = lambda count: count % 7 == 3
    for _ in range(4):
        driver.train()
    driver.loop.finish()
    driver.check(4)


def test_a_lease_that_cannot_be_written_is_waited_for_and_a_lost_one_is_not(tmp_path: Path) -> None:
    driver = Driver(tmp_path)
    until = time.monotonic() + 0.3

    def lease() -> None:
        if time.monotonic() < until:
            raise RecordsError("cannot use the lease: No space left on device")

    driver.lease.beat = lease
    driver.train()
    driver.loop.finish()
    driver.check(1)
    assert [why is None for _, why in driver.listener.messages] == [False, True]

    def lost() -> None:
        raise LeaseLostError("taken over")

    driver.lease.beat = lost
    with pytest.raises(LeaseLostError):
        driver.loop.tick()


def test_after_a_stop_the_loop_retries_briefly_and_reports_what_is_lost(tmp_path: Path) -> None:
    driver = Driver(tmp_path)
    driver.train()
    driver.refuse()

    def end() -> None:
        driver.heard = [events.StopAfterNextReport(at=time.time(), reason="stopped by SIGTERM")]

    threading.Timer(0.3, end).start()
    began = time.monotonic()
    with pytest.raises(
        RecordsError, match=r"stopped by SIGTERM, and the last of the records cannot be written: .*space"
    ):
        driver.train()
    assert 0.3 < time.monotonic() - began < 5
    with pytest.raises(RecordsError):
        driver.loop.write_what_can_be_written()
    driver.refuse(for_s=0.0)
    driver.loop.write_what_can_be_written()
    assert driver.read("events")["reason"].tolist()[-1] == "stopped by SIGTERM"


def test_an_end_asked_for_while_it_waits_ends_the_sweep_when_the_disk_is_back(tmp_path: Path) -> None:
    driver = Driver(tmp_path)
    start = driver.sweep.ask(driver.loop.tick())
    assert start is not None
    driver.sweep.on(events.Started(trial=0, at=time.time()))
    driver.refuse(for_s=0.05)
    driver.heard = [events.Halted(at=time.time(), reason="interrupted by SIGINT")]
    driver.loop.tick()
    driver.loop.finish()
    assert driver.sweep.halted == "interrupted by SIGINT"
    assert driver.read("trials.parquet")["state"].tolist() == ["cancelled"]


def test_checkpoints_that_cannot_be_removed_are_removed_later(tmp_path: Path) -> None:
    removed: list[int] = []
    readonly = True

    def ended(row: TrialRow) -> None:
        if readonly:
            raise OSError(30, "Read-only file system")
        removed.append(row.trial)

    driver = Driver(tmp_path, ended)
    driver.train()
    driver.train()
    driver.loop.tick()
    assert removed == []
    readonly = False
    driver.loop.finish()
    assert removed == [0, 1]
    driver.check(2)


def test_trouble_with_checkpoints_is_reported_once_until_it_is_over() -> None:
    listener = Listener()
    trouble = CheckpointTrouble(listener)
    full = "only 3 MB free on disk"
    for trial in (0, 1, 0, 1):
        trouble.update(trial, full, returned=False)
    said = "checkpoints cannot be written: only 3 MB free on disk; training and recording continue"
    assert listener.messages == [("checkpoints", said)]
    trouble.update(2, "", returned=False)  # the trial may not have saved yet
    trouble.update(0, "", returned=False)
    assert len(listener.messages) == 1
    trouble.update(1, "", returned=False)
    assert listener.messages[1:] == [("checkpoints", None)]
    trouble.update(3, full, returned=False)  # this trial is then stopped, and sends no further update
    trouble.update(4, "", returned=True)
    assert len(listener.messages) == 4


@pytest.mark.parametrize("jump_s", [7200.0, -7200.0])
def test_a_clock_that_jumps_uses_up_no_hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump_s: float) -> None:
    driver, real, passed_s = Driver(tmp_path, hours=1), float(int(time.time())), 0.0  # exact
    monkeypatch.setattr(time, "time", lambda: real)
    monkeypatch.setattr(steady_clock, "now", SteadyClock(lambda: real, lambda: passed_s))
    start = driver.sweep.ask(driver.loop.tick())
    assert start is not None
    driver.sweep.on(events.Started(trial=start.trial, at=driver.loop.tick()))
    passed_s = 60.0
    monkeypatch.setattr(time, "time", lambda: real + jump_s)
    report = Report(step=1, train_s=50.0, reported_at=real + jump_s, metrics={"loss": 1.0})
    driver.sweep.on(events.Reported(trial=start.trial, at=driver.loop.tick(), reports=[report]))
    assert driver.sweep.halted is None
    assert driver.sweep.usage.wall_s(driver.loop.tick()) == 60.0
    driver.loop.finish()
    assert driver.read("metrics")["reported_at"].max().timestamp() <= real + 60.0
    passed_s = 3600.0
    monkeypatch.setattr(time, "time", lambda: real)
    driver.loop.tick()
    assert driver.sweep.halted == "the budget of 1 hours is used up"
