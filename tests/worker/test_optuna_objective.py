"""Objectives of Optuna in this process: what they get, what is reported of them, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.space.distributions import distribution_of
from orchestrator.worker.optuna_objective import run
from trainables.report import Report
from trainables.trial import Trial, TrialEnded

Objective = Callable[[Any], Any]


def trained(objective: Objective, seed: int = 1, ends_at: int | None = None, **config: Any) -> Trial:
    history: list[Report] = []

    def sink(report: Report) -> None:
        history.append(report)
        if report.step == ends_at:
            raise TrialEnded

    trial = Trial(config=config, seed=seed, sink=sink)
    trial.history = history
    run(objective, trial, "loss")
    return trial


def every_method(trial: Any) -> float:
    assert -1 <= trial.suggest_float("a", -1, 1) <= 1
    assert 1e-5 <= trial.suggest_float("b", 1e-5, 1e-1, log=True) <= 1e-1
    assert trial.suggest_float("c", 0, 1, step=0.25) in (0, 0.25, 0.5, 0.75, 1)
    assert trial.suggest_int("d", 1, 3) in (1, 2, 3)
    assert trial.suggest_int("e", 4, 128, log=True) in range(4, 129)
    assert trial.suggest_int("f", 0, 10, step=5) in (0, 5, 10)
    assert trial.suggest_categorical("g", ["adam", None, 1, 0.5, True]) in ("adam", None, 1, 0.5, True)
    assert -1 <= trial.suggest_uniform("h", -1, 1) <= 1
    assert 1e-5 <= trial.suggest_loguniform("i", 1e-5, 1e-1) <= 1e-1
    assert trial.suggest_discrete_uniform("j", 0, 1, 0.5) in (0, 0.5, 1)
    assert trial.suggest_float("k", 3, 3) == 3
    assert trial.suggest_float("a", -1, 1) == trial.params["a"]
    assert list(trial.params) == list("abcdefghijk")
    return float(trial.number)


@given(seed=st.integers(0, 2**31 - 1))
def test_values_are_in_their_ranges_and_the_same_in_another_attempt(seed: int) -> None:
    first, second = trained(every_method, seed=seed), trained(every_method, seed=seed)
    assert first.suggested == second.suggested
    for value, written in first.suggested.values():
        assert distribution_of(written).contains(value)


def test_what_the_sweep_proposes_is_taken_and_the_rest_is_drawn() -> None:
    def objective(trial: Any) -> float:
        return trial.suggest_int("n", 1, 9) + trial.suggest_float("x", 0, 1)  # type: ignore[no-any-return]

    trial = trained(objective, n=7, unused=1)
    assert trial.suggested["n"] == (7, {"int": [1, 9]})
    assert set(trial.suggested) == {"n", "x"}
    nested = trained(lambda trial: trial.suggest_float("optim.lr", 0, 1), optim={"lr": 0.25})
    assert nested.history[0].metrics == {"loss": 0.25}


def test_a_choice_is_returned_as_it_was_written() -> None:
    def objective(trial: Any) -> float:
        value = trial.suggest_categorical("width", [32, 0.5])
        assert type(value) is int
        assert trial.params == {"width": 32}
        return 0.0

    trained(objective, width=32.0)


@pytest.mark.parametrize(
    ("reported", "returned", "expected"),
    [
        ([], 0.5, [(1, 0.5)]),
        ([(0, 3.0), (1, 2.0)], 2.0, [(0, 3.0), (1, 2.0)]),
        ([(0, 3.0), (4, 2.0)], 2.5, [(0, 3.0), (4, 2.0), (5, 2.5)]),
        ([(1, 3.0), (1, 9.0)], 3.0, [(1, 3.0)]),  # Optuna ignores another report of a step
    ],
)
def test_what_is_returned_is_one_more_report_unless_it_was_the_last(
    reported: list[tuple[int, float]], returned: float, expected: list[tuple[int, float]]
) -> None:
    def objective(trial: Any) -> float:
        for step, value in reported:
            trial.report(value, step)
            assert not trial.should_prune()
        return returned

    assert [(each.step, each.metrics["loss"]) for each in trained(objective).history] == expected


def test_the_end_of_a_trial_is_seen_by_should_prune() -> None:
    seen = []

    def objective(trial: Any) -> float:
        for step in range(9):
            trial.report(1.0, step)
            if trial.should_prune():
                seen.append(step)
                raise optuna.TrialPruned
        return 1.0

    with pytest.raises(TrialEnded):
        trained(objective, ends_at=2)
    assert seen == [2]


def test_an_objective_that_does_not_ask_ends_at_its_next_report_or_its_return() -> None:
    def reports(trial: Any) -> float:
        for step in range(9):
            trial.report(1.0, step)
        return 1.0

    with pytest.raises(TrialEnded):
        trained(reports, ends_at=8)


def test_a_trial_that_is_pruned_by_its_own_rule_has_diverged_or_its_last_report() -> None:
    def at_once(trial: Any) -> float:
        raise optuna.TrialPruned("too large")

    def later(trial: Any) -> float:
        trial.report(4.0, 1)
        raise optuna.TrialPruned

    with pytest.raises(FloatingPointError, match="too large"):
        trained(at_once)
    assert [each.metrics for each in trained(later).history] == [{"loss": 4.0}]


def test_numbers_noted_are_metrics_and_the_rest_is_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    def objective(trial: Any) -> float:
        trial.set_user_attr("parameters", 1200)
        trial.set_user_attr("name", "small")
        assert trial.user_attrs == {"parameters": 1200, "name": "small"}
        return 0.25

    assert trained(objective).history[0].metrics == {"loss": 0.25, "parameters": 1200.0}
    assert "name: small" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("objective", "error", "said"),
    [
        (lambda trial: (1.0, 2.0), TypeError, "returned 2 values, and a sweep has one objective"),
        (lambda trial: None, TypeError, "returned None, and an objective returns a number"),
        (lambda trial: trial.study.direction, AttributeError, "trial.study: a sweep has no study of Optuna"),
        (lambda trial: trial.suggest_float("l r", 0, 1), ValueError, "not a valid parameter name"),
        (lambda trial: trial.suggest_float("x", 2, 1), ValueError, "is not a range"),
        (lambda trial: trial.suggest_float("x", 0, math.nan), ValueError, "x"),
        (lambda trial: trial.suggest_float("x", 0, 1, log=True), ValueError, "no logarithm at 0"),
        (lambda trial: trial.suggest_int("x", 1, 9, step=2, log=True), ValueError, "either a step or a logarithmic"),
        (lambda trial: trial.suggest_categorical("x", [object()]), ValueError, "cannot be recorded"),
        (lambda trial: trial.suggest_categorical("x", []), ValueError, "x"),
        (lambda trial: [trial.suggest_int("x", 0, 3), trial.suggest_int("x", 0, 4)], ValueError, "before"),
        (lambda trial: trial.suggest_int("given", 0, 3), ValueError, "the sweep has given = 7, which is not in int"),
    ],
)
def test_what_cannot_be_honoured_is_refused(objective: Objective, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        trained(objective, given=7)
