"""Trainings of earlier sweeps become trials of a new one: recorded in full, in no time, and told to the search."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.build import build_sweep
from orchestrator.core.events import Start
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.reuse import MOST_AT_ONCE, Training, Trainings, training_key
from orchestrator.core.rows import Origin, State
from orchestrator.core.sweep import Sweep
from orchestrator.simulate.virtual_clock import Outcome, simulate
from orchestrator.spec import parse_spec
from tests.core.played import PlayedStep, steady


def made(trainings: Trainings | None = None, **sections: Any) -> Sweep:
    data: dict[str, Any] = {
        "trainable": "mine:train",
        "fixed": {"epochs": 27},
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "search": {"method": "random", "seed": 1},
        "scheduler": {"method": "none"},
        "budget": {"trials": 9},
    }
    return build_sweep(parse_spec(data | sections, base=Path()), None, trainings=trainings or {})


def wild(start: Start) -> Iterator[PlayedStep]:
    for second, step, metrics in steady(start):
        yield second, step, {"loss": math.nan} if start.config["x"] > 0.5 and step == 3 else metrics


def of(outcome: Outcome) -> dict[str, Training]:
    """The trainings of a sweep, as they are read from its records."""
    reports: dict[int, list[tuple[int, Any]]] = {}
    for row in outcome.metrics:
        reports.setdefault(row.trial, []).append((row.step, row.metrics))
    return {
        training_key({"epochs": 27, **row.config}, row.seed): Training(
            sweep="old", trial=row.trial, reason=row.reason or "", reports=tuple(reports[row.trial])
        )
        for row in outcome.trials.values()
        if row.state in (State.COMPLETED, State.DIVERGED)
    }


@pytest.mark.parametrize("method", ["random", "sobol", "auto"])
def test_nothing_is_trained_twice(method: str) -> None:
    search = {"method": method, "seed": 1}
    before = simulate(made(search=search), wild, slots=1)
    sweep = made(of(before), search=search)
    after = simulate(sweep, wild, slots=1)
    assert (after.busy_s, sweep.usage.gpu_s, sweep.usage.trained_s) == (0.0, 0.0, 0.0)
    assert {row.origin for row in after.trials.values()} == {Origin.REUSED}
    for number, row in before.trials.items():
        again = after.trials[number]
        assert (again.config, again.seed, again.state) == (row.config, row.seed, row.state)
        assert (again.objective, again.best_step, again.last_step) == (row.objective, row.best_step, row.last_step)
        assert again.train_s == again.overhead_s == 0.0
        assert (again.reason or "").startswith(f"taken over from trial {number} of old: ")
    values = [(row.trial, row.step, repr(row.metrics)) for row in before.metrics]
    assert [(row.trial, row.step, repr(row.metrics)) for row in after.metrics] == values


@pytest.mark.parametrize("change", [{"fixed": {"epochs": 28}}, {"search": {"method": "random", "seed": 2}}])
def test_other_values_or_seeds_are_trained(change: dict[str, Any]) -> None:
    trainings = of(simulate(made(), steady, slots=1))
    after = simulate(made(trainings, **change), steady, slots=1)
    assert {row.origin for row in after.trials.values()} == {Origin.SEARCH}


def test_they_count_in_the_budget_and_the_rest_is_trained() -> None:
    trainings = of(simulate(made(), steady, slots=1))
    sweep = made(trainings, budget={"trials": 12})
    after = simulate(sweep, steady, slots=2)
    assert len(after.trials) == 12
    assert [row.origin for _, row in sorted(after.trials.items())][9:] == [Origin.SEARCH] * 3
    assert after.busy_s == 3 * 27


def test_the_scheduler_cuts_none_of_them() -> None:
    trainings = of(simulate(made(), steady, slots=1))
    after = simulate(made(trainings, scheduler={"method": "asha", "variant": "promote"}), steady, slots=3)
    assert {row.state for row in after.trials.values()} == {State.COMPLETED}


def test_a_target_that_one_of_them_reaches_ends_the_sweep() -> None:
    before = simulate(made(), steady, slots=1)
    target = before.trials[4].objective_best
    assert target is not None
    sweep = made(of(before), budget={"trials": 9, "target": target})
    after = simulate(sweep, steady, slots=1)
    assert sweep.finished
    assert "target" in (sweep.halted or "")
    assert len(after.trials) <= 5


def test_many_are_taken_over_bit_by_bit() -> None:
    budget = {"trials": MOST_AT_ONCE + 50}
    before = simulate(made(budget=budget), lambda start: [(1.0, 1, {"loss": 1.0})], slots=1)
    sweep = made(of(before), budget=budget)
    assert sweep.ask(0.0) is None
    assert len(sweep.trials) == MOST_AT_ONCE
    assert not sweep.finished
    assert sweep.ask(0.1) is None
    assert sweep.finished


def test_a_resume_knows_them() -> None:
    trainings = of(simulate(made(), wild, slots=1))
    after = simulate(made(trainings, budget={"trials": 12}), wild, slots=1)
    again = made(budget={"trials": 12})
    replay(again, Recorded(events=after.events, metrics=after.metrics, trials=list(after.trials.values())), 1e6)
    assert again.finished
    assert again.ask(1e6) is None
    rows = {trial.number: trial.row(1e6) for trial in again.trials}
    for number, row in after.trials.items():
        known = rows[number]
        assert (known.state, known.origin, known.objective, known.reason) == (
            row.state, row.origin, row.objective, row.reason
        )  # fmt: skip
