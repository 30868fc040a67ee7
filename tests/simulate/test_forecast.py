"""Forecasts against what can be known otherwise: arithmetic, ASHA's expectation, budgets, and where they come from."""

from __future__ import annotations

import random
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.schedulers import Action
from orchestrator.core.schedulers.asha import Asha
from orchestrator.simulate.costs import FORK_S, MEASURED, Costs, measured_costs
from orchestrator.simulate.forecast import MOST, Forecast, Pace, forecast_sweep
from orchestrator.spec import Spec, parse_spec

SECOND = [Pace(step_s=1.0)]


def spec_of(trials: int | None = 20, **sections: Any) -> Spec:
    data = {
        "trainable": "m:t",
        "fixed": {"epochs": 27},
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "scheduler": {"method": "none"},
        **sections,
    }
    return parse_spec({**data, "budget": {"trials": trials, **sections.get("budget", {})}}, base=Path())


def seen(spec: Spec, slots: int = 4, **options: Any) -> Forecast:
    found = forecast_sweep(spec, None, slots=slots, **{"paces": SECOND, "costs": Costs(), **options})
    assert found is not None
    return found


def test_without_costs_and_scheduler_it_is_arithmetic() -> None:
    forecast = seen(spec_of(20), slots=4)
    assert forecast.seconds.low == forecast.seconds.high == 20 / 4 * 27
    assert forecast.trained_s.middle == 20 * 27
    assert forecast.busy(4) == 1.0
    assert forecast.ended_by is None


def asha_of(seed: int) -> Asha:
    return Asha(mode="min", grace_period=3, reduction_factor=3, max_step=27, variant="stop", seed=seed)


def asha_alone(trials: int, sweeps: int) -> tuple[dict[int, float], float]:
    """ASHA itself on trials in random order: how many go on from each rung, and the steps of all, in the mean."""
    continued: Counter[int] = Counter()
    steps = 0
    for seed in range(sweeps):
        asha, draws = asha_of(seed), random.Random(seed)
        for trial in range(trials):
            loss = draws.random()
            for rung in (*asha.rungs(trial), 27):
                decisions = asha.report(trial, rung, loss, pausable=False)
                if rung == 27 or decisions[0].action is Action.STOP:
                    steps += rung
                    break
                continued[rung] += 1
    return {rung: count / sweeps for rung, count in continued.items()}, steps / sweeps


def test_asha_lets_as_many_go_on_as_it_does_alone() -> None:
    scheduler = {"method": "asha", "variant": "stop", "grace_period": 3}
    spec = spec_of(1000, scheduler=scheduler, search={"method": "random"})
    forecast = seen(spec, slots=10)
    continued, steps = asha_alone(1000, sweeps=5)
    assert [rung.step for rung in forecast.rungs] == [3, 9]
    assert forecast.rungs[0].entering == 1000
    assert forecast.rungs[1].entering == forecast.rungs[0].continuing
    for rung in forecast.rungs:
        assert rung.continuing == pytest.approx(continued[rung.step], rel=0.15)
    assert forecast.steps.middle == pytest.approx(steps, rel=0.05)
    assert forecast.steps.low < forecast.steps.high


def test_better_and_better_proposals_are_not_all_trained_to_the_end() -> None:
    scheduler = {"method": "asha", "grace_period": 3}
    random_, learning = (
        seen(spec_of(300, scheduler=scheduler, search={"method": method}), slots=10) for method in ("random", "tpe")
    )
    assert learning.steps.middle < 1.1 * random_.steps.middle


def test_a_paused_trial_continues_where_it_was_and_is_set_up_again() -> None:
    """Of 9 trials 3 go on to step 9 and one to step 27, some of them after a pause, in a new attempt."""
    scheduler = {"method": "asha", "grace_period": 3, "variant": "promote"}
    forecast = seen(
        spec_of(9, scheduler=scheduler, search={"method": "random"}), slots=1, paces=[Pace(step_s=1.0, set_up_s=10.0)]
    )
    assert forecast.steps.middle == 9 * 3 + 3 * 6 + 18
    attempts = (forecast.seconds.middle - forecast.steps.middle) / 10
    assert 9 < attempts <= 9 + 3 + 1


def test_trials_that_still_wait_when_time_is_up_do_not_continue() -> None:
    scheduler = {"method": "asha", "grace_period": 3, "variant": "promote"}
    spec = spec_of(None, scheduler=scheduler, search={"method": "random"}, budget={"hours": 0.2})
    first, second = seen(spec).rungs
    assert first.continuing == pytest.approx(second.entering, abs=4), "some train between the two rungs"
    assert first.continuing == pytest.approx(first.entering / 3, rel=0.1)


def test_a_trainable_that_does_not_save_has_its_trials_stopped() -> None:
    auto, stop = ({"method": "asha", "grace_period": 3, "variant": variant} for variant in ("auto", "stop"))
    random_ = {"method": "random"}
    assert seen(spec_of(90, scheduler=auto, search=random_), saves=False).rungs == (
        seen(spec_of(90, scheduler=stop, search=random_)).rungs
    )
    saving = seen(spec_of(90, scheduler=auto, search=random_))
    assert [round(rung.continuing) for rung in saving.rungs] == [30, 10]


def test_slow_trials_that_were_bad_are_stopped_again() -> None:
    """A trial of an earlier sweep has its rank there, so what is slow and bad does not train to its end."""
    quick, slow = Pace(step_s=1.0, rank=0.0), Pace(step_s=100.0, rank=0.9)
    scheduler = {"method": "asha", "grace_period": 3}
    spec = spec_of(100, scheduler=scheduler, search={"method": "random"})
    kept = seen(spec, paces=[quick, slow])
    mixed = seen(spec, paces=[Pace(step_s=1.0), Pace(step_s=100.0)])
    assert kept.trained_s.middle < 0.5 * mixed.trained_s.middle


@pytest.mark.parametrize("mode", ["min", "max"])
def test_the_best_is_known_when_it_has_its_result(mode: str) -> None:
    forecast = seen(spec_of(60, objective={"metric": "loss", "mode": mode}), slots=1)
    assert 27 <= forecast.best_s.low < forecast.best_s.high <= forecast.seconds.high


def test_an_unknown_length_has_no_forecast() -> None:
    assert forecast_sweep(spec_of(fixed={}), None, slots=1, paces=SECOND, costs=Costs()) is None


def test_a_searched_length_counts_as_it_is_drawn() -> None:
    drawn = seen(spec_of(400, fixed={}, space={"epochs": {"int": [1, 99]}}), slots=1)
    assert drawn.seconds.middle == pytest.approx(400 * 50, rel=0.1)


def test_a_scheduler_that_ends_trials_overrules_a_searched_length() -> None:
    spec = spec_of(10, fixed={}, space={"epochs": {"int": [1, 99]}}, scheduler={"method": "none", "max": 10})
    assert seen(spec, slots=1).seconds.middle == 100


def test_paces_are_drawn_and_what_comes_before_the_first_step_is_added() -> None:
    paces = [Pace(step_s=1.0, set_up_s=10.0), Pace(step_s=3.0)]
    forecast = seen(spec_of(1000), slots=1, paces=paces)
    assert forecast.seconds.middle / 1000 == pytest.approx((27 + 10 + 81) / 2, rel=0.1)


def test_budgets_end_it() -> None:
    in_time = seen(spec_of(1000, budget={"hours": 0.1}), slots=2)
    assert in_time.seconds.middle == 360
    assert in_time.ended_by == "the budget of 0.1 hours is used up"
    assert in_time.trials.middle == 2 * (360 // 27)
    in_gpus = seen(spec_of(1000, budget={"gpu_hours": 0.1}), slots=2, gpus_per_trial=1.0)
    assert in_gpus.trained_s.middle == pytest.approx(360, abs=3)


def test_without_a_number_of_trials_time_ends_it() -> None:
    spec = spec_of(None, budget={"hours": 0.1})
    forecast = seen(spec, slots=2)
    assert forecast.seconds.middle == 360
    assert forecast.trials.middle == 2 * (360 // 27)
    assert forecast.complete


def test_of_a_sweep_without_end_the_first_trials_are_simulated() -> None:
    forecast = seen(spec_of(None, budget={"target": 0.0}), slots=MOST)
    assert (forecast.trials.middle, forecast.sweeps, forecast.complete) == (MOST, 1, False)
    assert forecast.ended_by is None


@pytest.mark.parametrize(("trials", "complete"), [(MOST, True), (MOST + 1, False), (10**9, False)])
def test_of_a_huge_sweep_the_first_trials_are_simulated(trials: int, complete: bool) -> None:
    forecast = seen(spec_of(trials), slots=MOST)
    assert (forecast.trials.middle, forecast.complete) == (MOST, complete)


def without_a_record(patience: int, draws: random.Random) -> int:
    """How many random numbers it takes until so many in a row are not the least so far."""
    best, since, count = 1.0, 0, 0
    while since < patience:
        value, count = draws.random(), count + 1
        best, since = (value, 0) if value < best else (best, since + 1)
    return count


def test_patience_ends_it_and_a_target_in_the_units_of_the_objective_does_not() -> None:
    budget = {"patience": 30, "min_gain": 0.9, "target": 0.9}
    forecast = seen(spec_of(None, budget=budget, search={"method": "random"}), slots=1)
    assert forecast.ended_by == "30 trials in a row bring no better result"
    draws = random.Random(0)
    alone = [without_a_record(30, draws) for _ in range(1000)]
    assert forecast.trials.middle == pytest.approx(statistics.median(alone), rel=0.3)
    assert 31 <= forecast.trials.low < forecast.trials.high <= max(alone)


def test_a_bound_of_divergence_is_none_of_an_imagined_trial() -> None:
    assert seen(spec_of(20, objective={"metric": "loss", "diverged_above": 0.01})).trials.low == 20


def test_the_same_spec_has_the_same_forecast() -> None:
    spec = spec_of(60, scheduler={"method": "asha", "grace_period": 3})
    assert seen(spec, costs=MEASURED) == seen(spec, costs=MEASURED)


def test_proposals_and_processes_cost_the_slots_time() -> None:
    quick, learning, forked, own = (
        seen(spec_of(500), slots=50, costs=measured_costs(method, heartbeat_s=1.0, isolation=isolation))
        for method, isolation in (("sobol", "reuse"), ("tpe", "reuse"), ("sobol", "fork"), ("sobol", "process"))
    )
    assert quick.search == 0 < learning.search < 1
    assert quick.seconds.middle < learning.seconds.middle
    assert forked.seconds.middle == pytest.approx(quick.seconds.middle + 9 * FORK_S, rel=0.01)
    assert own.seconds.middle == pytest.approx(
        quick.seconds.middle + 9 * (MEASURED.worker_s - MEASURED.turn_s), rel=0.01
    )


def test_a_method_that_was_not_measured_counts_as_one_that_learns() -> None:
    assert measured_costs("train.py:Search", heartbeat_s=1.0) == measured_costs("tpe", heartbeat_s=1.0)
    assert measured_costs("list", heartbeat_s=1.0).ask_s == 0
