"""Trials that pause at a rung: their slots serve others, the best of them go on, and the rest end as stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.core import events
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import Failure, State
from orchestrator.core.schedulers.rung import SPARE
from orchestrator.core.sweep import Sweep
from orchestrator.simulate.costs import Costs
from orchestrator.simulate.virtual_clock import Outcome, simulate
from tests.core.played import PlayedStep, make, states, steady
from trainables.report import Report

PROMOTE = {"method": "asha", "variant": "promote", "grace_period": 3}


def play(sweep: Sweep, slots: int = 2, **options: Any) -> Outcome:
    return simulate(sweep, steady, slots=slots, **options)


def begin(sweep: Sweep, at: float = 0.0) -> events.Start:
    start = sweep.ask(at)
    assert start is not None
    sweep.on(events.Started(trial=start.trial, at=at))
    return start


def reach(sweep: Sweep, trial: int, step: int, loss: float, at: float = 1.0, saved: bool = True) -> bool:
    report = Report(step=step, train_s=float(step), reported_at=at, metrics={"loss": loss})
    return sweep.on(events.Reported(trial=trial, at=at, reports=[report], saved=step if saved else None))


class TestASweepThatPauses:
    def test_it_trains_its_best_to_the_end_and_the_others_end_as_stopped(self) -> None:
        sweep = make(trials=20, scheduler=PROMOTE)
        outcome = play(sweep)
        assert set(states(outcome)) == {State.COMPLETED, State.STOPPED}
        best = min(sweep.trials, key=lambda trial: trial.config["x"])
        assert (best.state, best.last_step) == (State.COMPLETED, 27)
        assert sweep.best is best
        assert sweep.finished
        assert all(
            row.reason == f"not promoted beyond rung {row.rung}"
            for row in outcome.trials.values()
            if row.state is State.STOPPED
        )

    def test_steps_are_trained_once_however_often_it_pauses(self) -> None:
        outcome = play(make(trials=20, scheduler=PROMOTE))
        counts = Counter((row.trial, row.step) for row in outcome.metrics)
        assert set(counts.values()) == {1}
        assert outcome.busy_s == len(counts)
        for row in outcome.trials.values():
            assert row.last_step == sum(trial == row.trial for trial, _ in counts)

    def test_each_pause_and_promotion_is_an_event(self) -> None:
        outcome = play(make(trials=20, scheduler=PROMOTE))
        for number, row in outcome.trials.items():
            mine = [each for each in outcome.events if each.trial == number]
            decisions = [each.decision for each in mine if each.event == "rung"]
            paused = [each for each in mine if each.event == "paused"]
            promoted = [each for each in mine if each.event == "promoted"]
            assert len(paused) == decisions.count("pause")
            assert len(promoted) == len(paused) - (row.state is State.STOPPED)
            assert row.attempts == 1 + len(promoted)
            assert all(each.rung == each.step and each.value and each.cutoff for each in paused)

    def test_a_promotion_costs_what_any_start_does(self) -> None:
        free, dear = (
            play(make(trials=20, scheduler=PROMOTE), slots=1, costs=costs) for costs in (None, Costs(start_s=1))
        )
        attempts = sum(row.attempts for row in dear.trials.values())
        assert attempts > 20
        assert dear.seconds == pytest.approx(free.seconds + attempts)

    def test_where_nothing_is_saved_auto_stops_and_nothing_pauses(self) -> None:
        outcome = play(make(trials=20, scheduler={"method": "asha", "grace_period": 3}), saves=False)
        assert not any(each.event == "paused" for each in outcome.events)
        assert {row.attempts for row in outcome.trials.values()} == {1}

    def test_promote_pauses_also_what_is_not_saved_and_trains_it_again(self) -> None:
        outcome = play(make(trials=20, scheduler=PROMOTE), saves=False)
        assert any(each.event == "promoted" for each in outcome.events)
        counts = Counter((row.trial, row.step) for row in outcome.metrics)
        assert set(counts.values()) == {1}
        assert outcome.busy_s > len(counts)

    def test_what_is_paused_stays_few(self) -> None:
        sweep = make(trials=400, scheduler=PROMOTE)
        most = 0

        def curve(start: events.Start) -> Iterator[PlayedStep]:
            nonlocal most
            most = max(most, len(sweep.rungs))
            yield from steady(start)

        simulate(sweep, curve, slots=4)
        assert len(sweep.trials) == 400
        assert SPARE < most < 2 * SPARE + 40


class TestAPausedTrial:
    def paused(self, **sections: Any) -> Sweep:
        """Trials 0 and 1 are paused."""
        sweep = make(trials=4, scheduler=PROMOTE, **sections)
        for number in range(2):
            begin(sweep)
            assert not reach(sweep, number, 3, 0.5 + number)
        assert [trial.state for trial in sweep.trials] == [State.PAUSED] * 2
        return sweep

    def test_it_frees_its_slot_and_is_not_forgotten(self) -> None:
        sweep = self.paused()
        assert (sweep.live, sweep.finished, sweep.exhausted) == (0, False, False)
        assert sweep.best is sweep.trials[0]

    def test_late_words_of_its_worker_change_nothing(self) -> None:
        sweep = self.paused()
        sweep.take(1.0)
        failure = Failure(type="WorkerDied", message="killed")
        assert not sweep.on(events.Failed(trial=0, at=2.0, failure=failure))
        assert not sweep.on(events.Finished(trial=0, at=2.0))
        assert not reach(sweep, 0, 4, 0.1)
        assert sweep.trials[0].state is State.PAUSED
        rows = sweep.take(2.0)
        assert (rows.events, rows.metrics) == ([], [])

    def test_it_can_be_stopped_by_hand(self) -> None:
        sweep = self.paused()
        sweep.on(events.TrialStopRequested(trial=0, at=2.0, reason="by hand"))
        assert (sweep.trials[0].state, sweep.trials[0].reason) == (State.CANCELLED, "by hand")
        begin(sweep)
        reach(sweep, 2, 3, 1.9)
        following = begin(sweep)
        assert following.trial == 1, "the best of those that are left"

    def test_it_continues_before_a_new_trial_begins_once_it_has_earned_it(self) -> None:
        sweep = self.paused()
        assert begin(sweep).trial == 2
        reach(sweep, 2, 3, 0.9)
        start = begin(sweep)
        assert (start.trial, start.attempt, start.recorded, start.trained_s) == (0, 2, 3, 3.0)

    def test_a_rung_that_its_report_had_passed_is_entered_at_the_next_one(self) -> None:
        sweep = make(trials=4, scheduler=PROMOTE)
        for number in range(3):
            begin(sweep)
            reach(sweep, number, 10, 0.5 + number)  # beyond the rungs 3 and 9
        start = begin(sweep)
        assert (start.trial, start.recorded, start.rungs) == (0, 10, (9,))
        assert not reach(sweep, 0, 11, 0.4)
        assert (sweep.trials[0].state, sweep.trials[0].rung, sweep.trials[0].last_step) == (State.PAUSED, 9, 11)

    def test_a_resume_leaves_a_rung_that_was_passed_to_the_next_report_too(self) -> None:
        sweep = make(trials=4, scheduler=PROMOTE)
        for number in range(3):
            begin(sweep)
            reach(sweep, number, 10, 0.5 + number)
        begin(sweep)
        rows = sweep.take(2.0)
        again = make(trials=4, scheduler=PROMOTE)
        replay(again, Recorded(events=rows.events, metrics=rows.metrics), at=9.0)
        start = again.ask(10.0)
        assert start is not None
        assert (start.trial, start.recorded, start.rungs) == (0, 10, (9,))

    def test_an_added_configuration_goes_first(self) -> None:
        sweep = self.paused()
        begin(sweep)
        reach(sweep, 2, 3, 0.9)
        sweep.on(events.ConfigAdded(at=2.0, config={"x": 0.125}, by="me"))
        assert begin(sweep).config == {"x": 0.125}
        assert begin(sweep).trial == 0

    @pytest.mark.parametrize("failure", ["NotStarted", "Failed"])
    def test_its_promotion_survives_what_befalls_the_attempt(self, failure: str) -> None:
        sweep = self.paused(trial={"retries": 1})
        begin(sweep)
        reach(sweep, 2, 3, 0.9)
        start = sweep.ask(2.0)
        assert start is not None
        why = Failure(type="WorkerDied", message="killed")
        if failure == "NotStarted":
            sweep.on(events.NotStarted(trial=0, at=2.0, failure=why))
        else:
            sweep.on(events.Started(trial=0, at=2.0))
            sweep.on(events.Failed(trial=0, at=2.0, failure=why, preempted=True))
        again = sweep.ask(2.0)
        assert again is not None
        assert again.trial == 0

    def test_a_sweep_that_halts_leaves_it_paused_and_a_resume_promotes_it(self) -> None:
        sweep = self.paused()
        begin(sweep)
        reach(sweep, 2, 3, 0.9)
        sweep.on(events.Halted(at=5.0, reason="interrupted"))
        assert sweep.finished
        assert sweep.ask(6.0) is None
        assert [trial.state for trial in sweep.trials] == [State.PAUSED] * 3
        rows = sweep.take(6.0)
        again = make(trials=4, scheduler=PROMOTE)
        replay(again, Recorded(events=rows.events, metrics=rows.metrics), at=9.0)
        assert [trial.state for trial in again.trials] == [State.PAUSED] * 3
        assert begin(again).trial == 0

    def test_reports_after_a_promotion_that_was_not_recorded_show_it(self) -> None:
        sweep = self.paused()
        begin(sweep)
        reach(sweep, 2, 3, 0.9)
        rows = sweep.take(1.0)
        start = begin(sweep)
        reach(sweep, start.trial, 4, 0.4)
        lost = sweep.take(2.0)
        again = make(trials=4, scheduler=PROMOTE)
        replay(again, Recorded(events=rows.events, metrics=[*rows.metrics, *lost.metrics]), at=9.0)
        assert again.trials[0].state is State.PENDING
        following = begin(again)
        assert (following.trial, following.recorded) == (0, 4)
        assert begin(again).trial == 3

    def test_more_trials_after_the_end_compete_with_those_that_were_stopped(self) -> None:
        first = play(make(trials=9, scheduler=PROMOTE))
        again = make(trials=12, scheduler=PROMOTE)
        replay(again, Recorded(events=first.events, metrics=first.metrics), at=1e6)
        assert not again.rungs
        entered = again.scheduler.table()[0].entered
        rest = simulate(again, steady, slots=2, began=1e6)
        assert again.scheduler.table()[0].entered == entered + 3
        assert again.finished
        assert not {row.trial for row in rest.metrics} & set(range(9))
