"""Journals of trials: removed once everything is recorded, not before, and none is left of a sweep that is complete."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from orchestrator.core import events
from orchestrator.core.rows import Failure
from orchestrator.driver import loop
from orchestrator.driver.resume import _forget_unrecorded
from orchestrator.worker.report_journal import ReportJournal, set_aside, unrecorded
from tests.driver.test_loop import STEPS, Driver
from trainables.report import Report


def write(driver: Driver, trial: int, steps: int) -> Path:
    """What a worker has written of a trial."""
    path = driver.paths.journal(trial)
    journal = ReportJournal(path, recorded=None, collected_at=lambda: 0.0)
    for step in range(1, steps + 1):
        journal.append(Report(step=step, metrics={"loss": 1.0}, reported_at=0.0, train_s=0.0), time.monotonic())
    journal.close()
    return path


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    monkeypatch.setattr(loop, "TICK_S", 0.0)
    return Driver(tmp_path)


def test_it_is_removed_when_the_last_row_is_on_the_disk(driver: Driver) -> None:
    journal = write(driver, 0, STEPS)
    set_aside(journal).touch()
    driver.train()
    refused: list[bool] = []

    def fails(_: int) -> bool:
        refused.append(journal.exists() and set_aside(journal).exists())
        return len(refused) < 3

    driver.disk.fails = fails
    driver.loop.tick()
    assert all(refused[:3])
    assert not journal.exists()
    assert not set_aside(journal).exists()


def test_a_running_trial_keeps_it(driver: Driver) -> None:
    journal = write(driver, 0, STEPS)
    start = driver.sweep.ask(driver.loop.tick())
    assert start is not None
    driver.sweep.on(events.Started(trial=0, at=time.time()))
    driver.loop.tick()
    driver.journals.finish()
    assert journal.exists(), "what the driver has not received yet"


def test_a_trial_that_runs_again_before_the_records_are_written_keeps_it(driver: Driver) -> None:
    journal = write(driver, 0, STEPS)
    driver.train()
    rows = driver.sweep.take(time.time())
    driver.journals.trial_ended(rows.trials[0])
    driver.sweep.trials[0].reset_to_pending()  # as after a failure for which its node is blamed
    driver.journals.all_recorded()
    assert journal.exists()


@pytest.mark.parametrize(("journalled", "left"), [(2, False), (3, True)])
def test_a_cancelled_trial_keeps_what_is_not_recorded(driver: Driver, journalled: int, left: bool) -> None:
    start = driver.sweep.ask(driver.loop.tick())
    assert start is not None
    journal = write(driver, 0, journalled)
    driver.sweep.on(events.Started(trial=0, at=time.time()))
    reports = [Report(step=step, metrics={"loss": 1.0}, reported_at=0.0, train_s=0.0) for step in (1, 2)]
    driver.sweep.on(events.Reported(trial=0, at=time.time(), reports=reports))
    driver.sweep.on(events.Halted(at=time.time(), reason="stopped"))
    driver.loop.finish()
    assert journal.exists()
    driver.journals.finish()
    assert journal.exists() == left
    assert driver.paths.journals.exists() == left


def test_what_killed_drivers_have_left_goes_at_the_end(driver: Driver) -> None:
    driver.train()
    driver.loop.finish()
    write(driver, 0, STEPS + 1)
    (driver.paths.journals / ".nfs01").touch()
    driver.journals.finish()
    assert [path.name for path in driver.paths.journals.iterdir()] == [".nfs01"]


def test_a_failed_trial_needs_it_no_more(driver: Driver) -> None:
    start = driver.sweep.ask(driver.loop.tick())
    assert start is not None
    journal = write(driver, 0, 1)
    driver.sweep.on(events.Started(trial=0, at=time.time()))
    failure = Failure(type="ValueError", message="no", fingerprint="ValueError")
    for _ in range(10):
        driver.sweep.on(events.Failed(trial=0, at=time.time(), failure=failure))
        if driver.sweep.trials[0].state.ended:
            break
        assert driver.sweep.ask(time.time() + 1e6) is not None
        driver.sweep.on(events.Started(trial=0, at=time.time()))
    driver.loop.tick()
    assert not journal.exists()


def test_a_trial_that_was_never_recorded_leaves_nothing_to_the_next_of_its_number(driver: Driver) -> None:
    driver.train()
    for trial in (0, 1):
        write(driver, trial, 1)
        driver.paths.checkpoints(trial).mkdir(parents=True)
        (driver.paths.checkpoints(trial) / "last.json").touch()
        driver.paths.trial(trial).mkdir(parents=True)
        (driver.paths.trial(trial) / "own.json").touch()  # from which a trial of another configuration would continue
        driver.paths.logs.mkdir(exist_ok=True)
        driver.paths.log(trial).touch()
    _forget_unrecorded(driver.sweep, driver.paths)
    assert unrecorded(driver.paths.journal(0), -1)
    assert not driver.paths.journal(1).exists()
    assert (driver.paths.checkpoints(0) / "last.json").exists()
    assert not driver.paths.checkpoints(1).exists()
    assert (driver.paths.trial(0) / "own.json").exists()
    assert not driver.paths.trial(1).exists()
    assert driver.paths.log(0).exists()
    assert not driver.paths.log(1).exists()
