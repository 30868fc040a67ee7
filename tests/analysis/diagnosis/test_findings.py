"""Findings about a sweep as a whole, on made-up results."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.analysis.diagnosis.curve import Series
from orchestrator.analysis.diagnosis.findings.failures import failure_region, failures
from orchestrator.analysis.diagnosis.findings.more_data import fraction_result, more_data
from orchestrator.analysis.diagnosis.findings.noise import noise
from orchestrator.analysis.diagnosis.findings.region import between
from orchestrator.analysis.diagnosis.findings.rungs import rank_correlation, rung_predictions, rungs
from orchestrator.analysis.diagnosis.findings.search_space import at_bounds, bounds, budget
from orchestrator.analysis.diagnosis.findings.verdicts import verdicts
from orchestrator.analysis.diagnosis.verdict import Kind, Verdict
from orchestrator.analysis.summary.overview import Objective
from orchestrator.analysis.summary.results import RungEntry, SweepResults, TrialResult
from orchestrator.core.rows import Config, State
from orchestrator.spec import parse_spec
from tests.analysis.diagnosis.curves import falling, noisy
from tests.analysis.results import results as made_up

SPACE: dict[str, Any] = {
    "lr": {"loguniform": [1e-4, 1e-1]},
    "batch_size": {"choice": [64, 128, 256, 512, 1024], "ordered": True},
    "dropout": {"uniform": [0.0, 0.6]},
    "layers": {"int": [1, 4]},
    "optimizer": {"choice": ["sgd", "adam"]},
    "momentum": {"uniform": [0.5, 0.99], "when": "optimizer == 'sgd'"},
}


def results(
    trials: Sequence[TrialResult], *, entries: Sequence[RungEntry] = (), method: str = "random"
) -> SweepResults:
    spec = parse_spec({"trainable": "x:train", "space": SPACE, "objective": {"metric": "loss"}}, base=Path())
    return SweepResults(
        objective=Objective(metric="loss", mode="min", at="best"),
        method=method,
        space=spec.distributions(),
        trials=trials,
        entries=entries,
    )


def drawn(count: int, seed: int = 0) -> list[dict[str, Any]]:
    spec = parse_spec({"trainable": "x:train", "space": SPACE, "objective": {"metric": "loss"}}, base=Path())
    space, rng = spec.parameter_space(), random.Random(seed)
    return [space.sample(rng) for _ in range(count)]


def trials(configs: Sequence[dict[str, Any]], value: Any) -> list[TrialResult]:
    return [
        TrialResult(trial=number, state=State.COMPLETED, config=config, value=value(config), last_step=10)
        for number, config in enumerate(configs)
    ]


class TestBounds:
    def test_the_best_lie_at_an_upper_bound_on_a_log_scale(self) -> None:
        (found,) = at_bounds(results(trials(drawn(120), lambda config: -config["lr"])))
        assert (found.parameter, found.side, found.bound) == ("lr", "high", 0.1)
        assert found.wider == (1e-4, 3.2)
        (finding,) = bounds(results(trials(drawn(120), lambda config: -config["lr"])))
        assert finding.sentence == "6 of the 6 best trials have lr at its upper bound, 0.1"
        assert finding.advice == "search lr in [0.0001, 3.2]"

    @pytest.mark.parametrize("method", ["random", "sobol"])
    @pytest.mark.parametrize(("optimum", "alarms"), [(-1.0, 20), (-0.5, 20), (-2.5, 0), (-3.0, 0)])
    def test_methods_that_do_not_learn_tell_of_a_bound_from_twenty_trials(
        self, method: str, optimum: float, alarms: int
    ) -> None:
        def loss(config: Config, rng: random.Random) -> float:
            return (math.log10(config["lr"]) - optimum) ** 2 + rng.gauss(0, 0.01)

        space = {"lr": {"loguniform": [1e-4, 1e-1]}}
        found = [at_bounds(made_up(space, loss, trials=20, method=method, seed=seed)) for seed in range(20)]
        assert sum(map(bool, found)) == pytest.approx(alarms, abs=3)
        assert {(each.parameter, each.side) for (each, *_) in filter(None, found)} <= {("lr", "high")}
        assert all(each.wider == (1e-4, 3.2) for (each, *_) in filter(None, found))

    def test_the_sentence_says_near_where_few_trials_lie_at_the_bound(self) -> None:
        found = made_up({"lr": {"loguniform": [1e-4, 1e-1]}}, lambda config, rng: -config["lr"], trials=20, seed=1)
        (finding,) = bounds(found)
        assert finding.sentence == "5 of the 5 best trials have lr near its upper bound, 0.1"

    def test_a_share_stays_a_share(self) -> None:
        (found,) = at_bounds(results(trials(drawn(120), lambda config: -config["dropout"])))
        assert (found.parameter, found.wider) == ("dropout", (0.0, 0.8))

    def test_an_outermost_choice_is_a_bound_if_choices_have_an_order(self) -> None:
        (found,) = at_bounds(results(trials(drawn(120), lambda config: -config["batch_size"])))
        assert (found.parameter, found.bound, found.wider) == ("batch_size", 1024, None)

    @pytest.mark.parametrize("parameter", ["dropout", "layers"])
    def test_there_is_nothing_below_none_and_below_one(self, parameter: str) -> None:
        assert at_bounds(results(trials(drawn(120), lambda config: config[parameter]))) == []

    @pytest.mark.parametrize("method", ["random", "tpe", "grid"])
    def test_an_optimum_in_the_middle_is_left_alone(self, method: str) -> None:
        found = trials(drawn(120), lambda config: abs(math.log10(config["lr"]) + 2.5))
        assert at_bounds(results(found, method=method)) == []

    @given(seed=st.integers(0, 10_000))
    @settings(derandomize=True, deadline=None, max_examples=100)
    def test_where_nothing_matters_next_to_nothing_is_found(self, seed: int) -> None:
        rng = random.Random(seed)
        assert len(at_bounds(results(trials(drawn(60, seed), lambda config: rng.random())))) <= 1

    def test_few_trials_and_lists_have_no_bounds(self) -> None:
        assert at_bounds(results(trials(drawn(15), lambda config: -config["lr"]))) == []
        assert at_bounds(results(trials(drawn(120), lambda config: -config["lr"]), method="list")) == []


def failing(configs: Sequence[dict[str, Any]]) -> list[TrialResult]:
    """Out of memory where batches are large; two typing mistakes with sgd; all else goes well."""
    found = []
    for number, config in enumerate(configs):
        if config["batch_size"] >= 512:
            error, cause = "GpuOutOfMemory", "GpuOutOfMemory at train.py:9"
        elif config["optimizer"] == "sgd" and number % 13 == 0:
            error, cause = "TypeError", "TypeError at train.py:3"
        else:
            found.append(TrialResult(trial=number, state=State.COMPLETED, config=config, value=1.0))
            continue
        found.append(
            TrialResult(trial=number, state=State.FAILED, config=config, error=error, message="no\ngood", cause=cause)
        )
    return found


class TestFailures:
    def test_by_cause_and_region(self) -> None:
        found = failing(drawn(80))
        memory = [each.trial for each in found if each.error == "GpuOutOfMemory"]
        (finding,) = failures(results(found))
        rest = finding.numbers["failures"] - len(memory)
        assert finding.sentence == (
            f"{len(memory) + rest} failures, 2 causes:"
            f" out of GPU memory ({len(memory)}) exactly where batch_size ≥ 512; TypeError: no good ({rest})"
        )
        assert failure_region(results(found), memory) == "exactly where batch_size ≥ 512"

    def test_divergence_has_its_region(self) -> None:
        found = [
            TrialResult(trial=number, state=State.DIVERGED, config=config)
            if config["lr"] > 0.011
            else TrialResult(trial=number, state=State.COMPLETED, config=config, value=config["lr"])
            for number, config in enumerate(drawn(60))
        ]
        (finding,) = failures(results(found))
        assert finding.sentence.endswith("of 60 trials diverged, exactly where lr ≥ 0.013")
        assert finding.advice == "narrow the range of lr"
        assert finding.urgent

    def test_what_no_single_parameter_explains_has_no_region(self) -> None:
        found = [
            TrialResult(trial=number, state=State.FAILED, config=config, error="E", message="m", cause="c")
            if number % 7 == 0
            else TrialResult(trial=number, state=State.COMPLETED, config=config, value=1.0)
            for number, config in enumerate(drawn(70))
        ]
        (finding,) = failures(results(found))
        assert finding.sentence == "10 failures, 1 cause: E: m (10)"

    def test_a_sweep_without_failures_has_none(self) -> None:
        assert failures(results(trials(drawn(9), lambda config: 1.0))) == []

    @given(left=st.floats(1e-9, 1e9), factor=st.floats(1.0001, 1e6))
    @settings(derandomize=True, max_examples=200)
    def test_a_bound_lies_between_and_is_short(self, left: float, factor: float) -> None:
        right = left * factor
        assert left < float(between(left, right)) < right


class TestNoise:
    def repeats(self, *groups: tuple[float, ...]) -> SweepResults:
        configs = drawn(len(groups))
        pairs = [(config, value) for config, values in zip(configs, groups, strict=True) for value in values]
        return results(
            [
                TrialResult(trial=number, state=State.COMPLETED, config=config, value=value)
                for number, (config, value) in enumerate(pairs)
            ]
        )

    def test_a_difference_within_the_spread_may_be_chance(self) -> None:
        (finding,) = noise(self.repeats((0.30, 0.34, 0.32), (0.31, 0.33, 0.335), (0.5,)))
        assert "which may be chance" in finding.sentence
        assert finding.urgent

    def test_a_difference_beyond_it_is_none(self) -> None:
        (finding,) = noise(self.repeats((0.30, 0.301, 0.302), (0.40, 0.401, 0.402)))
        assert "more than chance explains" in finding.sentence
        assert not finding.urgent

    def test_without_repeats_nothing_is_known(self) -> None:
        assert noise(self.repeats((0.3,), (0.4,))) == []


class TestRungs:
    def sweep(self, at_rung: Any, trials: int = 20) -> SweepResults:
        rng = random.Random(1)
        ends = [rng.random() for _ in range(trials)]
        found = [
            TrialResult(trial=number, state=State.COMPLETED, config={}, value=end, last_step=27)
            for number, end in enumerate(ends)
        ]
        entries = [RungEntry(trial=number, rung=3, value=at_rung(rng, end)) for number, end in enumerate(ends)]
        return results(
            found, entries=[*entries, *(RungEntry(trial=n, rung=27, value=end) for n, end in enumerate(ends))]
        )

    def test_a_rung_that_predicts_nothing_is_named(self) -> None:
        (finding,) = rungs(self.sweep(lambda rng, end: rng.random(), trials=40))
        assert finding.sentence.startswith("the ranking at rung 3 (rank correlation ")
        assert finding.sentence.endswith(", 40 trials) hardly predicts the final ranking")

    def test_one_that_predicts_is_not(self) -> None:
        found = self.sweep(lambda rng, end: end + 0.01 * rng.random())
        assert rungs(found) == []
        assert [(each.rung, each.trials) for each in rung_predictions(found)] == [(3, 20)]

    def test_few_trials_prove_nothing(self) -> None:
        assert rungs(self.sweep(lambda rng, end: rng.random(), trials=9)) == []

    def test_the_rank_correlation_is_scipys(self) -> None:
        from scipy.stats import spearmanr

        rng = random.Random(2)
        left = [rng.choice([1.0, 2.0, 3.0]) for _ in range(30)]
        right = [value + rng.gauss(0, 1) for value in left]
        assert rank_correlation(left, right) == pytest.approx(float(spearmanr(left, right).statistic))


class TestOthers:
    def test_few_trials_for_many_parameters(self) -> None:
        (finding,) = budget(results(trials(drawn(12), lambda config: 1.0)))
        assert finding.sentence == "12 trials are too few for 6 searched parameters"
        assert finding.advice == "fix all but 2 of them, or run at least 30 trials"
        assert budget(results(trials(drawn(30), lambda config: 1.0))) == []

    def test_a_sweep_that_has_just_begun_is_not_blamed_for_it(self) -> None:
        begun = results(trials(drawn(12), lambda config: 1.0))
        assert budget(replace(begun, planned=30)) == []

    def test_what_is_wrong_with_the_best_and_with_most(self) -> None:
        found = results(trials(drawn(20), lambda config: config["lr"]))
        best = found.ranked()[0].trial
        said = {number: Verdict(kind=Kind.OVERFITTING, sentence="it turned") for number in range(20)}
        said[best] = Verdict(kind=Kind.STILL_IMPROVING, sentence="it fell")
        first, second = verdicts(found, said)
        assert first.sentence == f"best trial ({best}): still improving: it fell"
        assert "--max-steps" in first.advice
        assert second.sentence == "overfitting in 19 of 20 trials with enough steps"

    def test_healthy_trials_are_no_finding(self) -> None:
        said = {number: Verdict(kind=Kind.HEALTHY, sentence="") for number in range(20)}
        assert verdicts(results(trials(drawn(20), lambda config: 1.0)), said) == []


class TestData:
    def series(self, end: float, pace: float = 8, deviation: float = 0.001) -> Series:
        losses = noisy(falling(end, pace=pace), deviation)
        return Series(name="val_loss", mode="min", steps=range(1, 41), values=losses)

    def found(self, *ends: float, pace: float = 8) -> str:
        shares = [fraction_result(0.25 * 2**n, end, self.series(end, pace)) for n, end in enumerate(ends)]
        return more_data("val_loss", "min", shares).sentence

    def test_more_data_helps(self) -> None:
        assert self.found(0.5, 0.4, 0.3) == (
            "more data still helps: from 50% to 100% of the data, val_loss went from 0.4 to 0.3"
        )

    def test_more_data_does_not_help(self) -> None:
        assert self.found(0.5, 0.3, 0.2999).startswith("more data does not help: from 50% to 100%")

    def test_it_cannot_be_told_while_less_data_still_learns(self) -> None:
        assert "was still improving" in self.found(0.5, 0.4, 0.3, pace=1.5)
