"""Where a session's time went: the parts add up to the slots' time, and earlier sessions do not count."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.sweep import Sweep
from orchestrator.core.time_account import TimeAccount, total
from orchestrator.driver.time_accounting import TimeAccounting
from orchestrator.spec import parse_spec
from trainables.report import Report

SPEC = {
    "trainable": "mine:train",
    "fixed": {"epochs": 9},
    "space": {"x": {"uniform": [0, 1]}},
    "objective": {"metric": "loss"},
    "search": {"method": "random"},
    "budget": {"trials": 3},
}


def trial(sweep: Sweep, at: float, *, startup: float, waits: float, trains: float) -> float:
    """Run one trial from ``ask`` to its end; returns the time at the end."""
    start = sweep.ask(at)
    assert start is not None
    at += startup
    sweep.on(events.Started(trial=start.trial, at=at))
    at += waits + trains
    row = Report(step=9, train_s=trains, reported_at=at, metrics={"loss": 1.0})
    sweep.on(events.Reported(trial=start.trial, at=at, reports=[row]))
    sweep.on(events.Finished(trial=start.trial, at=at, train_s=trains))
    return at


def test_the_parts_are_those_of_this_session_and_sum_up() -> None:
    sweep = build_sweep(parse_spec(SPEC, base=Path()), None)
    trial(sweep, 0.0, startup=5.0, waits=5.0, trains=5.0)  # before the session

    clock: Iterator[float] = iter([100.0, 104.0, 110.0, 120.0, 130.0])
    slots: Iterator[int] = iter([2, 2, 1, 1])
    book = TimeAccounting(sweep, lambda: next(slots), lambda: next(clock))
    book.ray_started()  # 4 s on 2 slots
    trial(sweep, 104.0, startup=2.0, waits=1.0, trains=10.0)
    book.sample()
    book.sample()
    account = book.close(recording_s=0.5)
    assert account == TimeAccount(
        wall_s=30.0,
        slots_s=2 * 4 + 2 * 6 + 10 + 10,
        start_up_s=2 * 4 + 2,
        training_s=10.0,
        scheduling_s=1.0,
        idle_s=40 - 10 - 10 - 1,
        recording_s=0.5,
    )
    assert account.overhead == pytest.approx(30 / 40)
    assert total([account, account]) == account + account
    assert total([]) is None
    assert TimeAccount(**(account.row(0.0).detail or {})) == account
