"""Importance: who matters on functions of which one knows it, and where trials are compared."""

from __future__ import annotations

import dataclasses
import math
import random

import pytest

from orchestrator.analysis.compare.common_step import CommonStep, compare_at_common_step
from orchestrator.analysis.compare.importance import FEWEST, Importance, importance_of
from orchestrator.analysis.summary.overview import Objective
from orchestrator.analysis.summary.results import RungEntry, SweepResults, TrialResult
from orchestrator.core.rows import Config, State
from tests.analysis.results import Result, results

SPACE = {
    "lr": {"loguniform": [1e-5, 1.0]},
    "width": {"logint": [16, 512]},
    "kind": {"choice": ["a", "b", "c"]},
    "momentum": {"uniform": [0, 1], "when": "kind == 'a'"},
    "nesterov": {"choice": [True, False], "when": "kind == 'b'"},
    "idle": {"normal": [0, 1]},
    "sizes": {"choice": [[8], [8, 16]]},
}


def by_rate(config: Config, rng: random.Random) -> float:
    """The rate matters most, on a logarithmic scale; where it is high, the trial diverges. Momentum matters to a."""
    rate = math.log10(config["lr"])
    if rate > -0.5:
        return math.inf
    return (rate + 3) ** 2 + (config["kind"] == "c") + 2 * config.get("momentum", 0.5) + rng.gauss(0, 0.1)


def weighed(found: SweepResults) -> Importance:
    ends = [(each.trial, 9, each.value) for each in found.trials]
    return importance_of(found, compare_at_common_step(found, ends))


@pytest.fixture(scope="module")
def found() -> Importance:
    return weighed(results(SPACE, by_rate, trials=90))


class TestWeights:
    def test_what_matters_comes_first(self, found: Importance) -> None:
        assert found.weights[0].name == "lr"
        assert found.weights[0].low > 0.5
        everyones = [weight for weight in found.weights if weight.trials == 90]
        assert sum(weight.share for weight in everyones) == pytest.approx(1)

    def test_what_does_not_matter_is_seen_not_to(self, found: Importance) -> None:
        idle = {weight.name: weight for weight in found.weights if weight.name in ("idle", "sizes", "width")}
        assert len(idle) == 3
        assert all(weight.high < 0.1 for weight in idle.values())

    def test_a_conditional_parameter_is_weighed_among_those_that_have_it(self, found: Importance) -> None:
        momentum = next(weight for weight in found.weights if weight.name == "momentum")
        assert momentum.trials == 26
        assert momentum.share > 0.03
        assert 0 <= momentum.low <= momentum.share <= momentum.high <= 1

    def test_it_is_the_same_each_time_and_for_the_same_turned_round(self, found: Importance) -> None:
        upside_down: Result = lambda config, rng: -by_rate(config, rng)  # noqa: E731
        assert weighed(results(SPACE, upside_down, trials=90, mode="max")) == found


class TestSilence:
    def test_too_few(self) -> None:
        found = weighed(results(SPACE, by_rate, trials=FEWEST - 1))
        assert found.weights == ()
        assert found.remarks() == (
            "14 of 14 trials, compared at their last step.",
            "Too few trials to estimate importance; at least 15 are needed.",
        )

    def test_too_few_of_those_that_have_it(self) -> None:
        found = weighed(results(SPACE, by_rate, trials=40))
        assert found.silent["nesterov"].startswith("only ")
        assert "lr" in {weight.name for weight in found.weights}

    @pytest.mark.parametrize("value", [1.0, math.inf])
    def test_no_differences(self, value: float) -> None:
        found = weighed(results(SPACE, lambda config, rng: value))
        assert (found.weights, found.silent) == ((), {})
        assert "do not explain" in found.remarks()[-1]

    def test_one_trial_that_differs_is_not_enough_for_an_error(self) -> None:
        assert weighed(results(SPACE, lambda config, rng: float(config["idle"] > 2), trials=15)).weights is not None

    def test_what_tpe_cannot_tell(self) -> None:
        assert "tpe samples" in weighed(results(SPACE, by_rate, method="tpe")).remarks()[-1]


def reached(*lasts: int | None, states: str = "") -> SweepResults:
    """Trials that came so far: s(topped), c(ompleted), d(iverged), f(ailed), r(unning)."""
    named = {
        each.value[0]: each for each in (State.STOPPED, State.COMPLETED, State.DIVERGED, State.FAILED, State.RUNNING)
    }
    trials = [
        TrialResult(trial=number, state=named[letter], config={}, last_step=last)
        for number, (last, letter) in enumerate(zip(lasts, states or "s" * len(lasts), strict=True))
    ]
    rungs = [
        RungEntry(trial=each.trial, rung=rung, value=0)
        for each in trials
        for rung in (1, 3)
        if (each.last_step or 0) >= rung
    ]
    objective = Objective(metric="loss", mode="max", at="best")
    return SweepResults(objective=objective, method="random", space={}, trials=trials, entries=rungs)


class TestStanding:
    def test_the_last_rung_to_which_most_came(self) -> None:
        assert compare_at_common_step(reached(1, 1, 3), []).step == 1
        assert compare_at_common_step(reached(1, 3, 3), []).step == 3

    def test_the_ends_where_most_came_to_an_end(self) -> None:
        assert compare_at_common_step(reached(1, 9, 9, 2, states="sccd"), []).step is None
        assert compare_at_common_step(reached(5, 5, 5, states="rrr"), []).step == 3

    def test_values_are_those_by_then_and_diverged_trials_come_last(self) -> None:
        reports = [(0, 1, 0.5), (0, 2, 0.9), (1, 1, 0.7), (1, 2, 0.1), (2, 1, 5.0), (2, 2, math.nan), (3, 1, 9.0)]
        found = compare_at_common_step(reached(2, 2, 2, 1, states="ssdf"), reports)
        assert found == CommonStep(step=1, losses={0: -0.5, 1: -0.7, 2: math.inf}, judged=3)
        assert found.ranks() == {0: 2, 1: 1, 2: 3}
        assert found.sentence() == "3 of 3 trials, compared at step 1, which most reached"

    def test_the_latest_value_where_the_last_counts(self) -> None:
        last = reached(3, 3, states="ss")
        last = dataclasses.replace(last, objective=Objective(metric="loss", mode="min", at="last"))
        reports = [(0, 1, 0.1), (0, 3, 0.2), (0, 4, 0.0), (1, 2, 0.7), (1, 3, None)]
        assert compare_at_common_step(last, reports).losses == {0: 0.2, 1: 0.7}

    def test_a_short_training_that_came_to_its_own_end(self) -> None:
        found = compare_at_common_step(reached(2, 3, 3, states="css"), [(0, 2, 1.0), (1, 3, 2.0), (2, 3, 3.0)])
        assert found.losses == {0: -1.0, 1: -2.0, 2: -3.0}

    def test_nobody_has_reported(self) -> None:
        assert compare_at_common_step(reached(None, None), []) == CommonStep(step=None, losses={}, judged=0)
