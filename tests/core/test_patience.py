"""How results end a sweep: by a target, or because no gain comes any more; also over a restart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import events
from orchestrator.core.patience import Patience
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import State
from orchestrator.core.sweep import Sweep
from orchestrator.simulate.virtual_clock import simulate
from tests.core.played import PlayedStep, by_number, make, states
from trainables.report import Report


def constant(value: float) -> Any:
    def curve(_: events.Start) -> Iterator[PlayedStep]:
        for step in (1, 2, 3):
            yield 1.0, step, {"loss": value}

    return curve


def open_ended(**budget: Any) -> Sweep:
    return make(budget={"trials": None, **budget})


class TestCounting:
    @pytest.mark.parametrize(("mode", "sign"), [("min", 1), ("max", -1)])
    def test_small_gains_add_up(self, mode: Literal["min", "max"], sign: int) -> None:
        patience = Patience(mode, 0.01)
        counts = []
        for trial, value in enumerate([0.5, 0.496, 0.492, 0.489, 0.489, 0.47]):
            patience.ended(trial, sign * value)
            counts.append(patience.trials)
        assert counts == [0, 1, 2, 0, 1, 0]

    def test_without_a_least_gain_any_improvement_counts_and_a_tie_does_not(self) -> None:
        patience = Patience("min")
        patience.ended(0, 0.5)
        patience.ended(1, 0.5)
        assert patience.trials == 1
        patience.ended(2, math.nextafter(0.5, 0))
        assert patience.trials == 0

    def test_a_gain_just_as_large_as_asked_counts_whatever_the_rounding(self) -> None:
        for best in range(1, 1000):
            patience = Patience("max", 0.001)
            patience.ended(0, best / 1000)
            assert patience.is_gain((best + 1) / 1000)

    def test_a_trial_that_goes_on_counts_once_and_may_still_gain(self) -> None:
        patience = Patience("min")
        for trial, value in ((0, 0.5), (1, 0.6), (1, 0.55)):
            patience.ended(trial, value)
        assert patience.trials == 1
        patience.ended(1, 0.4)
        assert (patience.trials, patience.best) == (0, 0.4)


class TestPatience:
    def test_the_sweep_ends_after_so_many_trials_without_a_gain(self) -> None:
        sweep = open_ended(patience=4, min_gain=0.1)
        values = {0: 0.9, 1: 0.85, 2: 0.7}
        simulate(sweep, by_number({n: constant(values.get(n, 0.65)) for n in range(50)}), slots=1)
        assert len(sweep.trials) == 7
        assert sweep.halted == "the last 4 trials improved on 0.7 by less than 0.1 (budget.patience)"
        assert not sweep.failed
        assert sweep.best is not None
        assert sweep.best.result == 0.65

    def test_failed_trials_do_not_count_and_diverged_ones_do(self) -> None:
        def broken(_: events.Start) -> Iterator[PlayedStep]:
            yield 1.0, 1, {"loss": 0.1}
            raise ValueError("no")

        sweep = open_ended(patience=3)
        curves = {0: constant(0.5), 1: broken, 2: constant(math.nan), 3: broken}
        simulate(sweep, by_number({n: curves.get(n, constant(0.6)) for n in range(50)}), slots=1)
        assert len(sweep.trials) == 6
        assert sweep.halted == "the last 3 trials brought no better result than 0.5 (budget.patience)"

    def test_a_sweep_of_which_all_trials_diverge_ends(self) -> None:
        sweep = open_ended(patience=3)
        simulate(sweep, constant(math.nan), slots=1)
        assert sweep.halted == "the first 3 trials diverged (budget.patience)"

    def test_a_better_trial_that_still_runs_is_waited_for(self) -> None:
        def long(_: events.Start) -> Iterator[PlayedStep]:
            for step in range(1, 28):
                yield 1.0, step, {"loss": 0.1}

        sweep = open_ended(patience=3)
        outcome = simulate(sweep, by_number({1: long} | {n: constant(0.5) for n in (0, *range(2, 99))}), slots=2)
        assert outcome.trials[1].state is State.COMPLETED
        assert sweep.halted == "the last 3 trials brought no better result than 0.1 (budget.patience)"
        assert outcome.seconds == 30, "three others have ended 3 s after its end: one at its end, two then"

    def test_stopped_trials_count(self) -> None:
        scheduler = {"method": "asha", "variant": "stop", "grace_period": 1, "max": 3}
        sweep = make(budget={"trials": None, "patience": 5}, scheduler=scheduler)
        outcome = simulate(sweep, lambda start: constant(float(start.trial))(start), slots=1)
        assert states(outcome)[2:] == [State.STOPPED] * (len(sweep.trials) - 2)
        assert len(sweep.trials) == 6


class TestTarget:
    @pytest.mark.parametrize(("mode", "sign"), [("min", 1), ("max", -1)])
    def test_the_sweep_ends_at_once(self, mode: str, sign: int) -> None:
        sweep = make(budget={"trials": 50, "target": sign * 0.3}, objective={"metric": "loss", "mode": mode})
        curves = by_number({n: constant(sign * (0.3 if n == 5 else 0.4)) for n in range(50)})
        outcome = simulate(sweep, curves, slots=2)
        assert sweep.halted == f"the target of {sign * 0.3:g} is reached: trial 5 has loss {sign * 0.3:g}"
        assert sweep.used_up
        assert states(outcome)[4:] == [State.CANCELLED, State.CANCELLED]
        assert outcome.trials[5].last_step == 1
        assert sweep.best is not None
        assert sweep.best.number == 5

    def test_a_diverged_trial_does_not_reach_it(self) -> None:
        sweep = make(trials=3, budget={"target": 0.3})
        simulate(sweep, constant(-math.inf), slots=1)
        assert sweep.halted is None

    def test_no_reports_are_taken_afterwards(self) -> None:
        sweep = make(budget={"target": 0.3})
        start = sweep.ask(0.0)
        assert start is not None
        sweep.on(events.Started(trial=0, at=0.0))
        report = Report(step=1, train_s=1.0, reported_at=1.0, metrics={"loss": 0.2})
        assert not sweep.on(events.Reported(trial=0, at=1.0, reports=[report]))
        assert sweep.finished

    def test_with_a_better_target_a_resumed_sweep_goes_on(self) -> None:
        first = make(trials=6, budget={"target": 0.45})
        outcome = simulate(first, constant(0.4), slots=2)
        recorded = Recorded(events=outcome.events, metrics=outcome.metrics)
        same = make(trials=6, budget={"target": 0.45})
        replay(same, recorded, at=100.0)
        same.on(events.Ticked(at=100.0))
        assert same.halted == first.halted
        better = make(trials=6, budget={"target": 0.35})
        replay(better, recorded, at=100.0)
        simulate(better, constant(0.4), slots=2, began=100.0)
        assert [trial.state for trial in better.trials] == [State.COMPLETED] * 6


def noisy(start: events.Start) -> Iterator[PlayedStep]:
    x = start.config["x"]
    for step in range(1, 28):
        if x > 0.93 and step == 5:
            yield 1.0, step, {"loss": math.nan}
        if 0.88 < x < 0.93 and step == 4:
            raise ValueError(f"{x} is not to be had")
        yield 1.0 + x, step, {"loss": round(x + (0.3 if step % 3 else 0.0) + 1 / step, 2)}


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    cut=st.floats(0, 1),
    slots=st.integers(1, 4),
    at=st.sampled_from(["best", "last"]),
    method=st.sampled_from(["asha", "none"]),
    min_gain=st.sampled_from([0.0, 0.05]),
)
def test_a_resumed_sweep_counts_on_as_before(cut: float, slots: int, at: str, method: str, min_gain: float) -> None:
    def fresh() -> Sweep:
        return make(
            trials=40,
            objective={"metric": "loss", "at": at},
            scheduler={"method": method, "max": 27},
            budget={"patience": 1000, "min_gain": min_gain},
        )

    sweep = fresh()
    counts = []  # after every event: how many rows there are, and what patience has counted
    on = sweep.on
    rows_before = ([], [])  # type: tuple[list[Any], list[Any]]

    def telling(event: events.Event) -> bool:
        goes_on = on(event)
        rows = sweep.take(event.at)
        rows_before[0].extend(rows.events)
        rows_before[1].extend(rows.metrics)
        counts.append(
            (len(rows_before[0]), len(rows_before[1]), sweep.early_end.patience.trials, sweep.early_end.patience.best)
        )
        return goes_on

    sweep.on = telling  # type: ignore[method-assign]
    simulate(sweep, noisy, slots=slots)
    event_rows, metric_rows, trials, best = counts[int(cut * (len(counts) - 1))]
    again = fresh()
    replay(again, Recorded(events=rows_before[0][:event_rows], metrics=rows_before[1][:metric_rows]), at=1e6)
    assert (again.early_end.patience.trials, again.early_end.patience.best) == (trials, best)
