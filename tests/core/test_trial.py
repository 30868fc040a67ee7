"""The trials of a sweep on the virtual clock: their states and what decides about them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import events
from orchestrator.core.rows import State
from orchestrator.simulate.virtual_clock import simulate
from tests.core.played import PlayedStep, by_number, make, states, steady


class TestStates:
    def test_all_trials_complete_and_the_best_is_the_least(self) -> None:
        sweep = make()
        outcome = simulate(sweep, steady, slots=2)
        assert states(outcome) == [State.COMPLETED] * 9
        assert sweep.finished
        assert sweep.best is not None
        assert sweep.best.result == min(row.objective for row in outcome.trials.values() if row.objective)
        assert outcome.seconds == pytest.approx(5 * 27)

    def test_asha_stops_at_its_rungs_and_records_the_cutoffs(self) -> None:
        sweep = make(trials=60, scheduler={"method": "asha", "variant": "stop", "grace_period": 3})
        outcome = simulate(sweep, steady, slots=4)
        assert set(states(outcome)) == {State.COMPLETED, State.STOPPED}
        decided = [row for row in outcome.events if row.event == "rung"]
        for row in decided:
            assert row.value is not None
            assert row.cutoff is not None
            assert row.decision == "stop" or row.value <= row.cutoff
        for row in outcome.trials.values():
            if row.state is State.STOPPED:
                assert row.rung == row.last_step
        least = min(trial.config["x"] for trial in sweep.trials)
        assert sweep.best is not None
        assert sweep.best.config["x"] == least

    def test_a_non_finite_objective_is_a_finding(self) -> None:
        def nan_at_three(start: events.Start) -> Iterator[PlayedStep]:
            yield 1.0, 1, {"loss": 0.0001}
            yield 1.0, 3, {"loss": math.nan}
            yield 1.0, 4, {"loss": 0.0}

        outcome = simulate(sweep := make(), by_number({2: nan_at_three}), slots=1)
        row = outcome.trials[2]
        assert row.state is State.DIVERGED
        assert row.objective is None
        assert row.objective_best == 0.0001
        assert row.last_step == 3
        assert sweep.best is not None
        assert sweep.best.number != 2

    @pytest.mark.parametrize(("mode", "value"), [("min", 1e7), ("max", -1e7)])
    def test_beyond_the_bound_it_has_diverged(self, mode: str, value: float) -> None:
        sweep = make(objective={"mode": mode, "diverged_above": 1e6})
        outcome = simulate(sweep, by_number({0: lambda start: iter([(1.0, 1, {"loss": value})])}), slots=1)
        assert outcome.trials[0].state is State.DIVERGED

    def test_numerical_errors_are_divergence_and_others_failures(self) -> None:
        def overflow(start: events.Start) -> Iterator[PlayedStep]:
            yield 1.0, 1, {"loss": 1.0}
            raise OverflowError("too large")

        def broken(start: events.Start) -> Iterator[PlayedStep]:
            yield 1.0, 1, {"loss": 1.0}
            raise ValueError("broken")

        outcome = simulate(make(), by_number({0: overflow, 1: broken}), slots=1)
        assert states(outcome)[:3] == [State.DIVERGED, State.FAILED, State.COMPLETED]
        failure = outcome.trials[1].failure
        assert failure is not None
        assert (failure.type, failure.message) == ("ValueError", "broken")

    def test_the_last_step_ends_also_a_trial_that_does_not_report_the_objective(self) -> None:
        def endless(start: events.Start) -> Iterator[PlayedStep]:
            if start.trial == 1:
                yield 1.0, 1, {"loss": 0.5}
            for step in itertools.count(2):
                yield 1.0, step, {"los": 0.0}

        outcome = simulate(make(trials=2, scheduler={"method": "none", "max": 9}), endless, slots=1)
        assert [(row.state, row.last_step) for row in outcome.trials.values()] == [
            (State.FAILED, 10),  # at 9, the objective might come in another report
            (State.COMPLETED, 10),
        ]

    def test_a_metric_never_reported_is_a_failure_that_names_the_nearest(self) -> None:
        outcome = simulate(make(), by_number({0: lambda start: iter([(1.0, 1, {"los": 1.0})])}), slots=1)
        failure = outcome.trials[0].failure
        assert failure is not None
        assert "never reported 'loss', only los; did you mean 'los'?" in failure.message

    def test_before_a_first_trial_has_ended_it_is_said_that_the_objective_is_missing(self) -> None:
        def misspelt(start: events.Start) -> Iterator[PlayedStep]:
            for step in range(1, 28):
                yield 1.0, step, {"los": 1.0, "accuracy": 0.5}

        sweep = make(trials=4)
        events_ = simulate(sweep, misspelt, slots=2).events
        notes = [(row.at, row.reason) for row in events_ if row.event == "note"]
        assert [reason for _, reason in notes] == [
            "the first 3 reports of trial 0 had no 'loss', only accuracy, los; did you mean 'los'?"
        ]
        assert notes[0][0] < min(row.at for row in events_ if row.event == "failed")

    def test_an_objective_that_comes_every_tenth_step_is_missed_once_at_most(self) -> None:
        def rarely(start: events.Start) -> Iterator[PlayedStep]:
            for step in range(1, 28):
                yield 1.0, step, {"train_loss": 1.0} | ({"loss": 0.5} if step % 10 == 0 else {})

        for heard, expected in ((steady, 0), (rarely, 1)):
            outcome = simulate(make(trials=4), by_number({0: heard, 1: rarely, 2: rarely}), slots=1)
            assert sum(row.event == "note" for row in outcome.events) == expected

    def test_the_last_step_ends_a_trial_if_the_user_says_so(self) -> None:
        outcome = simulate(make(scheduler={"max": 5}), steady, slots=1)
        assert {row.last_step for row in outcome.trials.values()} == {5}
        assert set(states(outcome)) == {State.COMPLETED}

    @pytest.mark.parametrize("objective_first", [False, True])
    def test_several_reports_of_a_step_are_one(self, objective_first: bool) -> None:
        def in_parts(start: events.Start) -> Iterator[PlayedStep]:
            for step, metrics in ((step, each["loss"]) for _, step, each in steady(start)):
                parts = [{"train_loss": 1.0, "both": 2.0}, {"loss": metrics, "both": 2.0}]
                yield from ((0.5, step, part) for part in (reversed(parts) if objective_first else parts))

        scheduler = {"method": "asha", "variant": "stop", "max": 27}
        whole = simulate(make(trials=20, scheduler=scheduler), steady, slots=2)
        parts = simulate(make(trials=20, scheduler=scheduler), in_parts, slots=2)
        assert states(parts) == states(whole)
        assert [row.objective for row in parts.trials.values()] == [row.objective for row in whole.trials.values()]
        names = [name for row in parts.metrics if (row.trial, row.step) == (0, 3) for name in row.metrics]
        assert sorted(names) == ["both", "loss", "train_loss"]

    def test_best_and_last_are_both_kept(self) -> None:
        turning = by_number({0: lambda start: iter([(1.0, 1, {"loss": 0.2}), (1.0, 2, {"loss": 0.5})])})
        for at, objective in (("best", 0.2), ("last", 0.5)):
            row = simulate(make(objective={"at": at}), turning, slots=1).trials[0]
            assert (row.objective, row.objective_best, row.objective_last, row.best_step) == (
                objective,
                0.2,
                0.5,
                1,
            )


class TestStart:
    def test_start_points_come_first_and_are_not_repeated(self) -> None:
        sweep = make(trials=5, search={"start": [{"x": 0.25}, {"x": 0.75}, {"x": 0.25}]})
        simulate(sweep, steady, slots=2)
        assert [trial.config["x"] for trial in sweep.trials[:2]] == [0.25, 0.75]
        assert len({trial.config["x"] for trial in sweep.trials}) == 5

    @settings(derandomize=True, deadline=None, max_examples=20)
    @given(slots=st.integers(1, 9), seconds=st.lists(st.floats(0.1, 9), min_size=12, max_size=12))
    def test_configurations_and_seeds_do_not_depend_on_the_timing(self, slots: int, seconds: list[float]) -> None:
        def curve(start: events.Start) -> Iterator[PlayedStep]:
            yield seconds[start.trial], 1, {"loss": start.config["x"]}

        one, two = make(trials=12), make(trials=12)
        simulate(one, curve, slots=slots)
        simulate(two, curve, slots=1)
        assert [(t.config, t.seed) for t in one.trials] == [(t.config, t.seed) for t in two.trials]
