"""Trials that name their parameters as they run: the space grows, is searched, and is there again after a restart."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import EventRow, MetricRow, State
from orchestrator.core.sweep import Sweep
from orchestrator.space.distributions import distribution_of
from orchestrator.spec import parse_spec
from orchestrator.spec.load_trainable import OBJECTIVE
from orchestrator.spec.sections import GROW
from trainables.report import Report

X, KIND, C = {"uniform": [-10, 10]}, {"choice": ["svc", "forest"]}, {"loguniform": [1e-3, 1e3]}


def make(method: str = "tpe", trials: int = 40, **sections: Any) -> Sweep:
    sampler = {"sampler": "GPSampler"} if method == "optuna" else {}
    data = {
        "trainable": "mine:objective",
        "objective": {"metric": "loss"},
        "search": {"method": method, "seed": 1, **sampler},
        "budget": {"trials": trials},
    } | sections
    return build_sweep(parse_spec({"space": {}, **data}, base=Path()), OBJECTIVE)


def ask(start: events.Start, name: str, written: Mapping[str, Any]) -> Any:
    """What a worker does: take what is proposed, else draw."""
    drawn = distribution_of(written).from_unit(random.Random(f"{start.seed}/{name}").random())
    return start.config.get(name, drawn)


def asked(start: events.Start) -> dict[str, tuple[Any, Mapping[str, Any]]]:
    kind = ask(start, "kind", KIND)
    found = {"kind": (kind, KIND), "x": (ask(start, "x", X), X)}
    return found | ({"c": (ask(start, "c", C), C)} if kind == "svc" else {})


def suggest(sweep: Sweep, trial: int, found: Mapping[str, tuple[Any, Mapping[str, Any]]], at: float = 0.0) -> bool:
    parameters = {name: (value, distribution_of(written)) for name, (value, written) in found.items()}
    return sweep.on(events.Suggested(trial=trial, at=at, parameters=parameters))


def play(sweep: Sweep, trials: int) -> tuple[list[EventRow], list[MetricRow]]:
    """Run trials one after the other; returns what is recorded."""
    for _ in range(trials):
        start = sweep.ask(0.0)
        assert start is not None
        sweep.on(events.Started(trial=start.trial, at=0.0))
        found = asked(replace(start, config={**sweep.space.fixed, **start.config}))
        suggest(sweep, start.trial, found)
        loss = found["x"][0] ** 2 + (found["kind"][0] == "forest")
        report = Report(step=1, metrics={"loss": loss}, reported_at=0.0, train_s=1.0)
        sweep.on(events.Reported(trial=start.trial, at=0.0, reports=[report]))
        sweep.on(events.Finished(trial=start.trial, at=0.0))
    rows = sweep.take(0.0)
    return rows.events, rows.metrics


@pytest.mark.parametrize("method", [each for each in GROW if each != "optuna"])
def test_a_trial_has_what_it_asked_for_and_the_space_what_all_did(method: str) -> None:
    sweep = make(method)
    play(sweep, 40)
    assert set(sweep.space.parameters) == {"kind", "x", "c"}
    for trial in sweep.trials:
        assert trial.state is State.COMPLETED
        assert set(trial.config) == ({"kind", "x", "c"} if trial.config["kind"] == "svc" else {"kind", "x"})
    assert sweep.trials[0].row(0.0).config == sweep.trials[0].config


@pytest.mark.parametrize("method", ["auto", "tpe"])
def test_what_is_found_is_searched(method: str) -> None:
    sweep = make(method)
    play(sweep, 40)
    late = sorted(abs(trial.config["x"]) for trial in sweep.trials[20:])
    assert late[len(late) // 2] < 3.5  # of draws from [-10, 10] half are beyond 5
    assert sum(trial.config["kind"] == "svc" for trial in sweep.trials[20:]) > 10


@pytest.mark.parametrize("method", ["auto", "tpe", "random"])
def test_a_restart_goes_on_where_the_sweep_was(method: str) -> None:
    whole, half = make(method), make(method)
    play(whole, 24)
    recorded_events, metrics = play(half, 15)
    again = make(method, space={name: each.model_dump(by_alias=True) for name, each in half.space.parameters.items()})
    replay(again, Recorded(events=recorded_events, metrics=metrics), at=0.0)
    assert [trial.config for trial in again.trials] == [trial.config for trial in half.trials]
    play(again, 9)
    assert [trial.config for trial in again.trials] == [trial.config for trial in whole.trials]


def test_another_attempt_gets_what_the_first_has_asked_for_and_was_offered() -> None:
    sweep = make(trials=12, trial={"retries": 1})
    play(sweep, 11)
    first = sweep.ask(0.0)
    assert first is not None
    sweep.on(events.Started(trial=11, at=0.0))
    suggest(sweep, 11, {"x": (3.5, X), "new": (7, {"int": [1, 9]})})
    failure = events.Failure(type="WorkerDied", message="killed", fingerprint="killed")
    sweep.on(events.Failed(trial=11, at=0.0, failure=failure))
    second = sweep.ask(1e9)
    assert second is not None
    assert second.config == {**first.config, "x": 3.5, "new": 7}
    assert sweep.trials[11].config == {"x": 3.5, "new": 7}


def test_trials_that_begin_before_anything_is_known_draw_all_themselves() -> None:
    sweep = make(trials=3)
    starts = [sweep.ask(0.0) for _ in range(3)]
    assert [start and start.config for start in starts] == [{}, {}, {}]
    assert len({start.seed for start in starts if start}) == 3


def test_a_range_that_changes_between_trials_fails_the_trial_by_name() -> None:
    sweep = make()
    for trial in range(2):
        start = sweep.ask(0.0)
        assert start is not None
        sweep.on(events.Started(trial=trial, at=0.0))
    assert suggest(sweep, 0, {"k": (2, {"int": [0, 5]})})
    assert not suggest(sweep, 1, {"k": (2, {"int": [0, 3]})})
    failure = sweep.trials[1].failure
    assert failure is not None
    assert failure.type == "RangeChanged"
    assert "k is asked for as int: [0, 3], and was int: [0, 5] before" in failure.message


def test_a_spec_narrows_what_is_asked_for_and_fixes_it() -> None:
    sweep = make("random", space={"x": {"uniform": [1, 2]}}, fixed={"kind": "svc"})
    play(sweep, 10)
    assert all(1 <= trial.config["x"] <= 2 for trial in sweep.trials)
    assert all(set(trial.config) == {"x", "c"} for trial in sweep.trials)
    start = sweep.ask(0.0)
    assert start is not None
    sweep.on(events.Started(trial=10, at=0.0))
    assert not suggest(sweep, 10, {"x": (5.0, X)})
    failure = sweep.trials[10].failure
    assert failure is not None
    assert failure.message == "x is 5.0, and the space of the spec has uniform: [1.0, 2.0]"
