"""How paused trials are shown: while a sweep runs, in its records, and after it was halted."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator.analysis.report.timeline import _attempts
from orchestrator.analysis.summary.overview import overview
from orchestrator.analysis.summary.rungs import COUNTED, RungTally, rung_table
from orchestrator.analysis.time.ledger import TrialTime, ledger_of
from orchestrator.cli.live.json_lines import JsonLines
from orchestrator.cli.live.lines import LineObserver
from orchestrator.cli.live.progress import Progress
from orchestrator.cli.views.event_lines import news_line, worth_telling
from orchestrator.cli.views.text import rung_rows
from orchestrator.core import events
from orchestrator.core.rows import State
from orchestrator.core.sweep import Sweep
from orchestrator.records.recorder import Recorder
from orchestrator.simulate.virtual_clock import simulate
from tests.cli.recorded import record
from tests.core.played import make, steady
from trainables.report import Report

PROMOTE = {"method": "asha", "variant": "promote", "grace_period": 3}


def reach(sweep: Sweep, at: float, loss: float) -> int:
    """Start the next attempt and let it report at its next rung; returns its trial."""
    start = sweep.ask(at)
    assert start is not None
    sweep.on(events.Started(trial=start.trial, at=at))
    step = next(rung for rung in (3, 9, 27) if rung > (start.recorded or 0))
    report = Report(step=step, train_s=1.0, reported_at=at, metrics={"loss": loss})
    sweep.on(events.Reported(trial=start.trial, at=at, reports=[report], saved=step))
    return start.trial


@pytest.fixture
def sweep() -> Sweep:
    """Three trials are paused at the first rung; the first of them is the next to continue."""
    made = make(trials=6, scheduler=PROMOTE)
    for number, loss in enumerate((0.5, 0.7, 0.9)):
        assert reach(made, 1.0 + number, loss) == number
    return made


class TestWhileItRuns:
    def test_lines(self, sweep: Sweep, capfd: pytest.CaptureFixture[str]) -> None:
        lines = LineObserver(Progress(slots=lambda: 1))
        lines.show(sweep, 4.0)
        assert reach(sweep, 4.0, 0.4) == 0
        lines.show(sweep, 5.0)
        lines.show(sweep, 5.0)
        said = [re.sub(r"^\S+  ", "", line) for line in capfd.readouterr().out.splitlines()]
        assert said[1::2][:3] == [
            "trial 0    paused     loss 0.5 at rung 3",
            "trial 1    paused     loss 0.7 at rung 3",
            "trial 2    paused     loss 0.9 at rung 3",
        ]
        assert said[6:] == ["trial 0    running    attempt 2", "trial 0    paused     loss 0.4 at rung 9"]

    def test_what_is_paused_is_done_for_now(self, sweep: Sweep) -> None:
        progress = Progress(slots=lambda: 1)
        progress.look(sweep, 4.0)
        assert (progress.paused, progress.ended, progress.done, progress.starting) == (3, 0, 3, 0)
        assert progress.share == 0.5
        assert progress.left_s == pytest.approx(progress.wall_s)

    def test_a_resumed_session_does_not_count_them_as_its_own(self, sweep: Sweep) -> None:
        progress = Progress.of(sweep, slots=lambda: 1)
        assert progress.look(sweep, 3.0) == []
        assert (progress.done, progress.per_minute) == (3, 0)

    def test_events_for_programs(self, sweep: Sweep, capfd: pytest.CaptureFixture[str]) -> None:
        JsonLines(Progress(slots=lambda: 1)).show(sweep, 3.0)
        assert capfd.readouterr().out.count('"event": "trial-paused"') == 3

    def test_news(self, sweep: Sweep) -> None:
        reach(sweep, 3.0, 0.4)
        told = [news_line(row).plain[10:] for row in sweep.take(4.0).events if worth_telling(row) and row.trial == 0]
        assert [line.split(maxsplit=2)[2] for line in told] == [
            "running    ",
            "paused     0.5 at rung 3",
            "promoted   goes on beyond rung 3",
            "running    attempt 2",
            "paused     0.4 at rung 9",
        ]

    def test_the_rungs_have_a_column_for_them(self, sweep: Sweep) -> None:
        (row,) = rung_rows(sweep.scheduler.table())
        assert (row["entered"], row["went on"], row["paused"], row["stopped"]) == (3, 0, 3, 0)


@pytest.mark.parametrize("scheduler", [PROMOTE, {**PROMOTE, "variant": "stop"}, {"method": "hyperband"}])
@pytest.mark.parametrize("upto", [0.2, 0.5, 0.8, 1.0])
def test_the_rungs_told_from_the_records_are_those_of_the_scheduler(scheduler: dict[str, Any], upto: float) -> None:
    whole = make(trials=40, scheduler=scheduler)
    outcome = simulate(whole, steady, slots=2)
    limited = make(trials=40, scheduler=scheduler, budget={"trials": 40, "hours": upto * outcome.seconds / 3600})
    recorded = simulate(limited, steady, slots=2)
    tally = RungTally()
    for row in recorded.events:
        if row.event in COUNTED:
            assert row.trial is not None
            tally.add(limited.trials[row.trial].bracket, dataclasses.asdict(row))
    there = [row for row in limited.scheduler.table() if row.entered]
    assert [dataclasses.replace(row, cutoff=None) for row in tally.table()] == [
        dataclasses.replace(row, cutoff=None) for row in there
    ]


class TestAfterAHalt:
    def test_a_halted_sweep_is_halted_and_not_dead(self, sweep: Sweep, tmp_path: Path) -> None:
        paths = record(tmp_path / "results", halt_after=3)
        with Recorder(paths, sweep=paths.name, parameters={}, metrics=["loss"]) as recorder:
            sweep.on(events.Halted(at=5.0, reason="interrupted"))
            rows = sweep.take(6.0).trials
            assert {row.state for row in rows} == {State.PAUSED}
            for row in rows:
                recorder.trial(dataclasses.replace(row, config={}, trial=row.trial + 10))
        found = overview(paths)
        assert found.status == "halted"
        assert found.states[State.PAUSED] == 3
        assert rung_table(paths)

    def test_their_time_has_not_ended_in_anything_yet(self) -> None:
        spent = [TrialTime(state=State.PAUSED, train_s=3.0), TrialTime(state=State.COMPLETED, train_s=9.0)]
        assert ledger_of(spent, [], sessions=1).seconds["unfinished"] == 3.0

    def test_the_timeline_shows_each_attempt_up_to_its_pause(self, sweep: Sweep) -> None:
        reach(sweep, 7.0, 0.4)
        rows = [dataclasses.asdict(row) for row in sweep.take(8.0).events if row.trial == 0]
        assert [(attempt, end) for _, attempt, _, _, end in _attempts(rows, ((0.0, 9.0),))] == [
            (1, "paused"),
            (2, "paused"),
        ]
