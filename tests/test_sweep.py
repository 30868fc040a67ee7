"""The state machine, driven on a virtual clock: states, decisions, budgets, retries, what is told and recorded."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import events
from orchestrator.assemble import assemble
from orchestrator.limits import HOPELESS
from orchestrator.rows import Config, Failure, State
from orchestrator.search import Told
from orchestrator.simulate.virtual import Outcome, simulate
from orchestrator.spec import parse_spec
from orchestrator.sweep import FALSE_STARTS, Sweep
from orchestrator.telling import Teller

Report = tuple[float, int, dict[str, float]]


def make(method: str = "random", trials: int = 9, steps: int = 27, **sections: Any) -> Sweep:
    data: dict[str, Any] = {
        "trainable": "mine:train",
        "fixed": {"epochs": steps},
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "search": {"method": method, "seed": 1},
        "scheduler": {"method": "none"},
        "budget": {"trials": trials},
    }
    for name, section in sections.items():
        data[name] = {**data.get(name, {}), **section} if isinstance(section, dict) and name != "space" else section
    return assemble(parse_spec(data, base=Path()), None)


def steady(start: events.Start) -> Iterator[Report]:
    """Loss falls from 2x to x over 27 steps of a second."""
    for step in range(1, 28):
        yield 1.0, step, {"loss": start.config["x"] * (1 + 1 / step)}


def by_number(
    curves: dict[int, Callable[[events.Start], Iterator[Report]]],
) -> Callable[[events.Start], Iterator[Report]]:
    return lambda start: curves.get(start.trial, steady)(start)


def states(outcome: Outcome) -> list[State]:
    return [row.state for _, row in sorted(outcome.trials.items())]


class TestLife:
    def test_all_trials_complete_and_the_best_is_the_least(self) -> None:
        sweep = make()
        outcome = simulate(sweep, steady, slots=2)
        assert states(outcome) == [State.COMPLETED] * 9
        assert sweep.finished
        assert sweep.best is not None
        assert sweep.best.result == min(row.objective for row in outcome.trials.values() if row.objective)
        assert outcome.seconds == pytest.approx(5 * 27)

    def test_asha_stops_at_its_rungs_and_records_the_cutoffs(self) -> None:
        sweep = make(trials=60, scheduler={"method": "asha", "grace_period": 3})
        outcome = simulate(sweep, steady, slots=4)
        assert set(states(outcome)) == {State.COMPLETED, State.STOPPED}
        decided = [row for row in outcome.events if row.event == "rung"]
        for row in decided:
            assert row.value is not None
            assert row.cutoff is not None
            assert (row.decision == "stop") == (row.value > row.cutoff)
        for row in outcome.trials.values():
            if row.state is State.STOPPED:
                assert row.rung == row.last_step
        least = min(life.config["x"] for life in sweep.trials)
        assert sweep.best is not None
        assert sweep.best.config["x"] == least

    def test_a_non_finite_objective_is_a_finding(self) -> None:
        def nan_at_three(start: events.Start) -> Iterator[Report]:
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
        def overflow(start: events.Start) -> Iterator[Report]:
            yield 1.0, 1, {"loss": 1.0}
            raise OverflowError("too large")

        def broken(start: events.Start) -> Iterator[Report]:
            yield 1.0, 1, {"loss": 1.0}
            raise ValueError("broken")

        outcome = simulate(make(), by_number({0: overflow, 1: broken}), slots=1)
        assert states(outcome)[:3] == [State.DIVERGED, State.FAILED, State.COMPLETED]
        failure = outcome.trials[1].failure
        assert failure is not None
        assert (failure.type, failure.message) == ("ValueError", "broken")

    def test_the_last_step_ends_also_a_trial_that_does_not_report_the_objective(self) -> None:
        def endless(start: events.Start) -> Iterator[Report]:
            if start.trial == 1:
                yield 1.0, 1, {"loss": 0.5}
            for step in itertools.count(2):
                yield 1.0, step, {"los": 0.0}

        outcome = simulate(make(trials=2, scheduler={"method": "none", "max": 9}), endless, slots=1)
        assert [(row.state, row.last_step) for row in outcome.trials.values()] == [
            (State.FAILED, 9),
            (State.COMPLETED, 9),
        ]

    def test_a_metric_never_reported_is_a_failure_that_names_the_nearest(self) -> None:
        outcome = simulate(make(), by_number({0: lambda start: iter([(1.0, 1, {"los": 1.0})])}), slots=1)
        failure = outcome.trials[0].failure
        assert failure is not None
        assert "never reported 'loss', only los; is 'los' meant?" in failure.message

    def test_the_last_step_ends_a_trial_if_the_user_says_so(self) -> None:
        outcome = simulate(make(scheduler={"max": 5}), steady, slots=1)
        assert {row.last_step for row in outcome.trials.values()} == {5}
        assert set(states(outcome)) == {State.COMPLETED}

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


class TestRetries:
    @staticmethod
    def failing(times: int, message: str = "attempt {}") -> Callable[[events.Start], Iterator[Report]]:
        def curve(start: events.Start) -> Iterator[Report]:
            for report in steady(start):
                if report[1] == 3 and start.trial == 0 and start.attempt <= times:
                    raise ValueError(message.format(start.attempt))
                yield report

        return curve

    def test_a_failed_trial_is_tried_again_and_each_step_is_recorded_once(self) -> None:
        outcome = simulate(make(trial={"retries": 2}), self.failing(2), slots=1)
        row = outcome.trials[0]
        assert (row.state, row.attempts, row.failures) == (State.COMPLETED, 3, 2)
        steps = [(m.step, m.attempt) for m in outcome.metrics if m.trial == 0]
        assert steps == [(1, 1), (2, 1), *((step, 3) for step in range(3, 28))]
        assert row.train_s == pytest.approx(2 + 2 + 27)

    def test_out_of_retries_it_has_failed_and_the_sweep_goes_on(self) -> None:
        outcome = simulate(make(trial={"retries": 1}), self.failing(9), slots=1)
        assert outcome.trials[0].state is State.FAILED
        assert outcome.trials[0].failures == 2
        assert states(outcome)[1:] == [State.COMPLETED] * 8

    def test_the_same_failure_twice_is_not_tried_a_third_time(self) -> None:
        outcome = simulate(make(trial={"retries": 5}), self.failing(9, "the same"), slots=1)
        assert outcome.trials[0].attempts == 2

    def test_a_worker_that_is_killed_twice_is_tried_as_often_as_allowed(self) -> None:
        sweep = make(trials=1, trial={"retries": 3})
        killed = Failure(type="WorkerDied", message="killed", fingerprint="WorkerDied")
        for attempt in range(1, 5):
            start = sweep.ask(100.0 * attempt)
            assert start is not None
            assert start.attempt == attempt
            sweep.on(events.Started(trial=0, at=100.0 * attempt))
            sweep.on(events.Raised(trial=0, at=100.0 * attempt, failure=killed))
        assert sweep.trials[0].state is State.FAILED

    def test_a_preemption_uses_up_no_retry(self) -> None:
        sweep = make(trials=1)
        start = sweep.ask(0.0)
        assert start is not None
        for at in range(5):
            sweep.on(events.Started(trial=0, at=at))
            gone = Failure(type="WorkerDied", message="its node has died")
            assert not sweep.on(events.Raised(trial=0, at=at, failure=gone, preempted=True))
            again = sweep.ask(at)
            assert again is not None
            assert again.attempt == at + 2
        assert sweep.trials[0].preemptions == 5
        assert sweep.trials[0].failures == 0

    def test_a_worker_that_dies_before_the_trial_begins_is_not_held_against_it(self) -> None:
        sweep = make(trials=1)
        lost = Failure(type="WorkerDied", message="died")
        for _ in range(FALSE_STARTS):
            assert sweep.ask(0.0) is not None
            sweep.on(events.NotStarted(trial=0, at=0.0, failure=lost))
            assert sweep.trials[0].attempts == 0
        assert sweep.ask(0.0) is not None
        sweep.on(events.NotStarted(trial=0, at=0.0, failure=lost))
        assert sweep.trials[0].state is State.FAILED


class TestEnds:
    def broken(self, start: events.Start) -> Iterator[Report]:
        yield 1.0, 1, {}
        raise ValueError(f"at {start.trial}")

    def test_if_the_first_all_fail_the_sweep_gives_up(self) -> None:
        sweep = make(trials=100)
        outcome = simulate(sweep, self.broken, slots=1)
        assert sweep.failed
        assert states(outcome) == [State.FAILED] * HOPELESS

    def test_with_one_result_it_goes_on(self) -> None:
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

    def test_the_budget_of_gpu_hours_counts_training_times_gpus(self) -> None:
        data = {
            "trainable": "mine:train",
            "space": {"x": {"uniform": [0, 1]}},
            "objective": {"metric": "loss"},
            "search": {"method": "random"},
            "budget": {"trials": 100, "gpu_hours": 200 / 3600},
        }
        sweep = assemble(parse_spec(data, base=Path()), None, gpus_per_trial=2)
        simulate(sweep, steady, slots=2)
        assert sum(life.train_s for life in sweep.trials) == pytest.approx(100, abs=2)

    def test_halted_means_every_trial_has_ended(self) -> None:
        sweep = make()
        for at in range(3):
            start = sweep.ask(float(at))
            assert start is not None
            if at:
                sweep.on(events.Started(trial=start.trial, at=float(at)))
        sweep.on(events.Halted(at=5.0, reason="interrupted"))
        assert sweep.finished
        assert [life.state for life in sweep.trials] == [State.CANCELLED] * 3
        assert sweep.ask(6.0) is None
        late = events.Measurement(step=1, train_s=1.0, reported_at=6.0, metrics={"loss": 0.0})
        assert not sweep.on(events.Reported(trial=1, at=6.0, measurements=[late]))
        assert not sweep.take(7.0).metrics

    def test_drained_means_each_trial_ends_at_its_next_report(self) -> None:
        sweep = make()
        for _ in range(3):
            start = sweep.ask(0.0)
            assert start is not None
            if start.trial < 2:
                sweep.on(events.Started(trial=start.trial, at=0.0))
        sweep.on(events.Drained(at=1.0, reason="asked"))
        assert sweep.ask(1.0) is None
        assert sweep.halted is None
        idle = events.Reported(trial=0, at=1.5, measurements=[])
        assert sweep.on(idle)
        for number in (0, 1):
            measurement = events.Measurement(step=1, train_s=1.0, reported_at=2.0, metrics={"loss": 0.5})
            assert not sweep.on(events.Reported(trial=number, at=2.0, measurements=[measurement]))
        assert sweep.halted == "asked"
        assert sweep.finished
        assert [life.state for life in sweep.trials] == [State.CANCELLED] * 3
        assert [life.last_step for life in sweep.trials] == [1, 1, None]

    def test_a_trial_that_ends_by_itself_ends_the_draining(self) -> None:
        sweep = make()
        sweep.ask(0.0)
        sweep.on(events.Started(trial=0, at=0.0))
        sweep.on(events.Drained(at=1.0, reason="asked"))
        measurement = events.Measurement(step=1, train_s=1.0, reported_at=1.0, metrics={"loss": math.nan})
        sweep.on(events.Reported(trial=0, at=2.0, measurements=[measurement]))
        assert sweep.trials[0].state is State.DIVERGED
        assert sweep.halted == "asked"

    def test_a_dismissed_trial_ends_alone(self) -> None:
        sweep = make()
        for _ in range(2):
            start = sweep.ask(0.0)
            assert start is not None
            sweep.on(events.Started(trial=start.trial, at=0.0))
        sweep.on(events.Dismissed(trial=1, at=1.0, reason="ended by hand"))
        sweep.on(events.Dismissed(trial=77, at=1.0, reason="there is none"))
        measurement = events.Measurement(step=1, train_s=1.0, reported_at=1.0, metrics={"loss": 0.5})
        assert sweep.on(events.Reported(trial=0, at=2.0, measurements=[measurement]))
        assert not sweep.on(events.Reported(trial=1, at=2.0, measurements=[measurement]))
        assert sweep.trials[1].state is State.CANCELLED
        assert sweep.ask(3.0) is not None

    def test_a_space_that_is_used_up_ends_the_sweep(self) -> None:
        sweep = make(trials=50, space={"x": {"choice": [0.1, 0.2, 0.3]}})
        outcome = simulate(sweep, steady, slots=2)
        assert len(outcome.trials) == 3
        assert sweep.finished
        assert any(row.reason and "used up after 3" in row.reason for row in outcome.events)


class Spy:
    """A search that remembers what it was told."""

    def __init__(self, values: list[float]) -> None:
        self.values = values
        self.told: list[Told] = []
        self.forgotten: list[int] = []

    def ask(self, number: int, accept: Callable[[Config], bool]) -> Config | None:
        return {"x": self.values[number]}

    def resume(self, number: int, config: Config) -> None: ...

    def tell(self, told: Told) -> None:
        self.told.append(told)

    def forget(self, number: int) -> None:
        self.forgotten.append(number)


class TestTelling:
    def run(self, **sections: Any) -> Spy:
        sweep = make(trials=6, **sections)
        spy = Spy([0.5, 0.2, 0.3, 0.7, 0.1, 0.9])
        sweep.agenda._search = spy
        sweep.teller = Teller(spy, "min")

        def curve(start: events.Start) -> Iterator[Report]:
            if start.trial in (0, 3):
                yield 1.0, 1, {"loss": math.inf}
            if start.trial == 4:
                raise ValueError("broken")
            yield from steady(start)

        simulate(sweep, curve, slots=1)
        return spy

    def test_diverged_trials_are_told_as_the_worst_finite_value_once_there_is_one(self) -> None:
        spy = self.run()
        assert [told.number for told in spy.told] == [1, 0, 2, 3, 5]
        values = {told.number: told.value for told in spy.told}
        assert values[0] == values[1] < values[2] == values[3] < values[5]

    def test_failed_trials_are_forgotten(self) -> None:
        assert self.run().forgotten == [4]

    def test_stopped_trials_are_told_at_their_rung(self) -> None:
        spy = self.run(scheduler={"method": "asha", "grace_period": 3})
        stopped = {told.number: told for told in spy.told if told.step is not None}
        assert stopped
        for told in stopped.values():
            assert told.value == pytest.approx(told.config["x"] * (1 + 1 / (told.step or 0)))


class TestStart:
    def test_start_points_come_first_and_are_not_repeated(self) -> None:
        sweep = make(trials=5, search={"start": [{"x": 0.25}, {"x": 0.75}, {"x": 0.25}]})
        simulate(sweep, steady, slots=2)
        assert [life.config["x"] for life in sweep.trials[:2]] == [0.25, 0.75]
        assert len({life.config["x"] for life in sweep.trials}) == 5

    @settings(derandomize=True, deadline=None, max_examples=20)
    @given(slots=st.integers(1, 9), seconds=st.lists(st.floats(0.1, 9), min_size=12, max_size=12))
    def test_configurations_and_seeds_do_not_depend_on_the_timing(self, slots: int, seconds: list[float]) -> None:
        def curve(start: events.Start) -> Iterator[Report]:
            yield seconds[start.trial], 1, {"loss": start.config["x"]}

        one, two = make(trials=12), make(trials=12)
        simulate(one, curve, slots=slots)
        simulate(two, curve, slots=1)
        assert [(t.config, t.seed) for t in one.trials] == [(t.config, t.seed) for t in two.trials]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_happens_the_books_balance(data: st.DataObject) -> None:
    """Random events in random order: each trial ends in one state, each (trial, step) is recorded once and rising."""
    sweep = make(trials=8, scheduler={"method": "asha", "grace_period": 2}, trial={"retries": 1})
    now = 0.0
    recorded: dict[int, int] = {}
    steps: dict[int, int] = {}
    ended: list[int] = []

    def drain() -> None:
        rows = sweep.take(now)
        for row in rows.metrics:
            assert row.step > recorded.get(row.trial, -1)
            recorded[row.trial] = row.step
        for event in rows.events:
            if event.trial is not None and event.event in (
                "completed",
                "stopped",
                "diverged",
                "failed",
                "cancelled",
            ):
                ended.append(event.trial)

    for _ in range(data.draw(st.integers(0, 120))):
        now += 1.0
        live = [life for life in sweep.trials if not life.state.ended and life.number in sweep._live]
        kind = data.draw(st.sampled_from(["ask", "ask", "start", "report", "report", "return", "raise", "lost"]))
        if kind == "ask":
            sweep.ask(now)
        elif live:
            life = data.draw(st.sampled_from(live))
            if life.state is State.PENDING:
                steps[life.number] = 0
                sweep.on(events.Started(trial=life.number, at=now))
            elif kind == "report":
                steps[life.number] += data.draw(st.integers(1, 4))
                loss = data.draw(st.floats(0, 9) | st.just(math.nan))
                measurement = events.Measurement(
                    step=steps[life.number], train_s=1.0, reported_at=now, metrics={"loss": loss}
                )
                sweep.on(events.Reported(trial=life.number, at=now, measurements=[measurement]))
            elif kind == "return":
                sweep.on(events.Returned(trial=life.number, at=now))
            elif kind in ("raise", "lost"):
                failure = Failure(type="E", message="m", fingerprint=f"{now}")
                sweep.on(events.Raised(trial=life.number, at=now, failure=failure, preempted=kind == "lost"))
        if data.draw(st.booleans()):
            drain()
    sweep.on(events.Halted(at=now, reason="the end"))
    drain()
    assert sweep.finished
    assert sorted(ended) == [life.number for life in sweep.trials]
    best = [
        life.result for life in sweep.trials if life.result is not None and life.state not in ("diverged", "failed")
    ]
    assert (sweep.best.result if sweep.best else None) == min(best, default=None)
