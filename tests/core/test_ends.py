"""How sweeps end: by failures, by budgets, or on request."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.limits import HOPELESS
from orchestrator.core.rows import Failure, State
from orchestrator.simulate.virtual_clock import simulate
from orchestrator.spec import parse_spec
from tests.core.played import PlayedStep, make, states, steady
from trainables.report import Report


class TestEnds:
    def broken(self, start: events.Start) -> Iterator[Report]:
        yield 1.0, 1, {}
        raise ValueError(f"at {start.trial}")

    def test_if_the_first_all_fail_the_sweep_gives_up(self) -> None:
        sweep = make(trials=100)
        outcome = simulate(sweep, self.broken, slots=1)
        assert sweep.failed
        assert states(outcome) == [State.FAILED] * HOPELESS

    def test_with_one_result_the_sweep_continues(self) -> None:
        sweep = make(trials=20)
        outcome = simulate(sweep, lambda start: (steady if start.trial == 0 else self.broken)(start), slots=1)
        assert not sweep.failed
        assert len(outcome.trials) == 20

    @pytest.mark.parametrize("allowed", [0, 3])
    def test_max_failures(self, allowed: int) -> None:
        sweep = make(trials=20, budget={"max_failures": allowed})
        outcome = simulate(sweep, lambda start: (steady if start.trial == 0 else self.broken)(start), slots=2)
        assert sweep.failed
        assert states(outcome).count(State.FAILED) == allowed + 1

    def test_the_budget_of_hours_cancels_what_runs(self) -> None:
        sweep = make(trials=100, budget={"hours": 100 / 3600})
        outcome = simulate(sweep, steady, slots=2)
        assert sweep.halted == "the budget of 0.0277778 hours is used up"
        assert not sweep.failed
        assert states(outcome).count(State.COMPLETED) == 6
        assert states(outcome).count(State.CANCELLED) == 2
        assert outcome.seconds == pytest.approx(100, abs=1)

    def test_a_trial_that_has_trained_for_its_time_is_complete(self) -> None:
        sweep = make(trials=4, trial={"max_time": "10s"})
        outcome = simulate(sweep, steady, slots=2)
        rows = [row for _, row in sorted(outcome.trials.items())]
        assert [(row.state, row.last_step, row.train_s) for row in rows] == [(State.COMPLETED, 10, 10.0)] * 4
        assert {row.reason for row in rows} == {"trained for 10 s (trial.max_time)"}
        assert all(row.objective is not None for row in rows)

    def test_the_time_of_a_trial_ends_with_a_report_of_the_objective(self) -> None:
        def seldom(start: events.Start) -> Iterator[PlayedStep]:
            for step in range(1, 28):
                yield 1.0, step, {"loss": 1.0} if step % 4 == 0 else {"other": 1.0}

        sweep = make(trials=1, trial={"max_time": 5})
        (row,) = simulate(sweep, seldom, slots=1).trials.values()
        assert (row.state, row.last_step) == (State.COMPLETED, 8)

    def test_paused_time_does_not_count(self) -> None:
        sweep = make(trials=6, trial={"max_time": "5s"}, scheduler={"method": "asha", "grace_period": 2})
        rows = simulate(sweep, steady, slots=1, saves=True).trials.values()
        assert {row.last_step for row in rows if row.state is State.COMPLETED} == {5}
        assert {row.last_step for row in rows if row.state is State.STOPPED} == {2}

    def test_the_budget_of_gpu_hours_counts_training_times_gpus(self) -> None:
        data = {
            "trainable": "mine:train",
            "space": {"x": {"uniform": [0, 1]}},
            "objective": {"metric": "loss"},
            "search": {"method": "random"},
            "budget": {"trials": 100, "gpu_hours": 200 / 3600},
        }
        sweep = build_sweep(parse_spec(data, base=Path()), None, gpus_per_trial=2)
        simulate(sweep, steady, slots=2)
        assert sum(trial.train_s for trial in sweep.trials) == pytest.approx(100, abs=2)

    def test_halted_means_every_trial_has_ended(self) -> None:
        sweep = make()
        for at in range(3):
            start = sweep.ask(float(at))
            assert start is not None
            if at:
                sweep.on(events.Started(trial=start.trial, at=float(at)))
        sweep.on(events.Halted(at=5.0, reason="interrupted"))
        assert sweep.finished
        assert [trial.state for trial in sweep.trials] == [State.CANCELLED] * 3
        assert sweep.ask(6.0) is None
        late = Report(step=1, train_s=1.0, reported_at=6.0, metrics={"loss": 0.0})
        assert not sweep.on(events.Reported(trial=1, at=6.0, reports=[late]))
        assert not sweep.take(7.0).metrics

    def test_stop_after_next_report_ends_each_trial_there(self) -> None:
        sweep = make()
        for _ in range(3):
            start = sweep.ask(0.0)
            assert start is not None
            if start.trial < 2:
                sweep.on(events.Started(trial=start.trial, at=0.0))
        sweep.on(events.StopAfterNextReport(at=1.0, reason="asked"))
        assert sweep.ask(1.0) is None
        assert sweep.halted is None
        idle = events.Reported(trial=0, at=1.5, reports=[])
        assert sweep.on(idle)
        for number in (0, 1):
            report = Report(step=1, train_s=1.0, reported_at=2.0, metrics={"loss": 0.5})
            assert not sweep.on(events.Reported(trial=number, at=2.0, reports=[report]))
        assert sweep.halted == "asked"
        assert sweep.finished
        assert [trial.state for trial in sweep.trials] == [State.CANCELLED] * 3
        assert [trial.last_step for trial in sweep.trials] == [1, 1, None]

    @pytest.mark.parametrize("becomes", [State.DIVERGED, State.PAUSED, State.CANCELLED])
    def test_whatever_becomes_of_the_last_trial_a_stopping_sweep_ends(self, becomes: State) -> None:
        sweep = make(scheduler={"method": "asha", "grace_period": 1, "variant": "promote"})
        sweep.ask(0.0)
        sweep.on(events.Started(trial=0, at=0.0))
        sweep.on(events.StopAfterNextReport(at=1.0, reason="asked"))
        loss = math.nan if becomes is State.DIVERGED else 0.5
        report = Report(step=1, train_s=1.0, reported_at=1.0, metrics={"loss": loss})
        if becomes is State.CANCELLED:  # a node was lost, and the retry is not waited for
            failure = Failure(type="NodeDied", message="", traceback="")
            sweep.on(events.Failed(trial=0, at=2.0, failure=failure, preempted=True))
        else:
            sweep.on(events.Reported(trial=0, at=2.0, reports=[report], saved=1))
        assert sweep.trials[0].state is becomes
        assert sweep.halted == "asked"
        assert sweep.finished

    def test_a_trial_stop_ends_that_trial_alone(self) -> None:
        sweep = make()
        for _ in range(2):
            start = sweep.ask(0.0)
            assert start is not None
            sweep.on(events.Started(trial=start.trial, at=0.0))
        sweep.on(events.TrialStopRequested(trial=1, at=1.0, reason="ended by hand"))
        sweep.on(events.TrialStopRequested(trial=77, at=1.0, reason="there is none"))
        report = Report(step=1, train_s=1.0, reported_at=1.0, metrics={"loss": 0.5})
        assert sweep.on(events.Reported(trial=0, at=2.0, reports=[report]))
        assert not sweep.on(events.Reported(trial=1, at=2.0, reports=[report]))
        assert sweep.trials[1].state is State.CANCELLED
        assert sweep.ask(3.0) is not None

    def test_a_space_that_is_used_up_ends_the_sweep(self) -> None:
        sweep = make(trials=50, space={"x": {"choice": [0.1, 0.2, 0.3]}})
        outcome = simulate(sweep, steady, slots=2)
        assert len(outcome.trials) == 3
        assert sweep.finished
        assert any(row.reason and "exhausted after 3" in row.reason for row in outcome.events)
