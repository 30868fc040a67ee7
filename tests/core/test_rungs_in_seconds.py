"""Rungs at seconds of training: which rungs a trial enters and when, however fast its steps are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import events
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import EventRow, State
from orchestrator.core.rung_unit import reached, recorded_unit, rung_name
from orchestrator.core.search import Observation, Outcome
from orchestrator.core.sweep import Sweep
from orchestrator.simulate import virtual_clock
from orchestrator.simulate.virtual_clock import simulate
from tests.core.played import PlayedStep, make
from trainables.report import Report

IN_SECONDS: list[dict[str, Any]] = [
    *({"method": "asha", "grace_period": 3, "variant": variant} for variant in ("stop", "promote", "auto")),
    {"method": "asha", "grace_period": 1, "brackets": 3},
    {"method": "hyperband"},
    {"method": "pasha", "grace_period": 1},
    {"method": "median", "grace_period": 2},
    {"method": "top_after", "grace_period": 4, "top": 2},
]


def sweep_of(scheduler: dict[str, Any], **sections: Any) -> Sweep:
    """A sweep of 16 trials whose trainings take at most 27 s."""
    return make(trials=16, scheduler={"unit": "seconds", "max": 27, **scheduler}, **sections)


def paced(paces: list[float], every: int = 1) -> Callable[[events.Start], Iterator[PlayedStep]]:
    """Curves of 40 steps of so many seconds, by trial; the objective comes with every so many of them."""

    def curve(start: events.Start) -> Iterator[PlayedStep]:
        pace = paces[start.trial % len(paces)]
        for step in range(1, 41):
            metrics = {"loss": start.config["x"] + 1 / step} if step % every == 0 else {"other": 1.0}
            yield pace, step, metrics

    return curve


@pytest.mark.parametrize("scheduler", IN_SECONDS)
def test_with_steps_of_a_second_all_is_as_with_rungs_at_steps(scheduler: dict[str, Any]) -> None:
    def decisions(sweep: Sweep) -> list[tuple[object, ...]]:
        outcome = simulate(sweep, paced([1.0]), slots=3)
        return [
            (row.at, row.trial, row.event, row.step, row.rung, row.value, row.cutoff, row.decision)
            for row in outcome.events
            if row.trial is not None
        ]

    in_steps = make(trials=16, scheduler={"max": 27, **scheduler})
    assert decisions(sweep_of(scheduler)) == decisions(in_steps)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(
    scheduler=st.sampled_from(IN_SECONDS),
    paces=st.lists(st.floats(0.05, 12.0), min_size=1, max_size=5),
    every=st.integers(1, 4),
    slots=st.integers(1, 4),
    saves=st.booleans(),
)
def test_a_rung_is_entered_at_the_first_objective_after_its_time(
    scheduler: dict[str, Any], paces: list[float], every: int, slots: int, saves: bool
) -> None:
    sweep = sweep_of(scheduler)
    outcome = simulate(sweep, paced(paces, every), slots=slots, saves=saves)
    for trial in sweep.trials:
        assert trial.state.ended
        times = [row.train_s for row in outcome.metrics if row.trial == trial.number and "loss" in row.metrics]
        entered = [row for row in outcome.events if row.trial == trial.number and row.event == "rung"]
        assert [row.rung for row in entered] == list(sweep.scheduler.rungs(trial.number)[: len(entered)])
        paused_s = 0.0
        for row in entered:
            assert row.rung is not None
            assert row.detail is not None
            first = next(each for each in times if each >= row.rung and each > paused_s)
            assert row.detail["train_s"] == first, "at no later report, and at no earlier one"
            paused_s = first if row.decision == "pause" else paused_s
        if trial.state is State.COMPLETED:
            assert all(each < 27 for each in times[:-1]), "it ends at the first report of the objective after its time"
            assert times[-1] >= 27 or trial.reason == "the trainable finished"


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    scheduler=st.sampled_from(IN_SECONDS),
    paces=st.lists(st.floats(0.3, 6.0), min_size=1, max_size=5),
    cut=st.floats(0, 1),
)
def test_a_resume_restores_the_rungs(scheduler: dict[str, Any], paces: list[float], cut: float) -> None:
    """Of the records alone, and of any beginning of them that ends with a trial's decision."""
    sweep = sweep_of(scheduler)
    outcome = simulate(sweep, paced(paces), slots=1)
    again = sweep_of(scheduler)
    replay(again, Recorded(events=outcome.events, metrics=outcome.metrics), at=1e6)
    assert again.scheduler.table() == sweep.scheduler.table()
    assert [trial.row(0.0) for trial in again.trials] == [
        row_without_slot_times(trial.row(0.0), other.row(0.0))
        for trial, other in zip(sweep.trials, again.trials, strict=True)
    ]
    at = outcome.seconds * cut
    begun = Recorded(
        events=[row for row in outcome.events if row.at <= at],
        metrics=[row for row in outcome.metrics if row.reported_at <= at],
    )
    half = sweep_of(scheduler)
    replay(half, begun, at=1e6)
    rest = simulate(half, paced(paces), slots=1, began=1e6)
    assert decided([*begun.events, *rest.events]) == decided(outcome.events)


def row_without_slot_times(row: Any, other: Any) -> Any:
    """The row with those fields of another that a resume reads from the table of trials."""
    import dataclasses

    return dataclasses.replace(row, startup_s=other.startup_s, overhead_s=other.overhead_s, gpus=other.gpus)


def decided(rows: list[EventRow]) -> list[tuple[object, ...]]:
    return [(row.trial, row.rung, row.decision, row.value) for row in rows if row.event == "rung"]


def test_training_counts_over_attempts_and_waiting_does_not() -> None:
    scheduler = {"method": "asha", "unit": "seconds", "grace_period": 10, "max": 100, "variant": "stop"}
    sweep = make(trials=1, scheduler=scheduler)

    def report(step: int, train_s: float, at: float) -> None:
        row = Report(step=step, metrics={"loss": 1.0}, reported_at=at, train_s=train_s)
        sweep.on(events.Reported(trial=0, at=at, reports=[row]))

    def begin(at: float) -> events.Start:
        start = sweep.ask(at)
        assert start is not None
        sweep.on(events.Started(trial=0, at=at))
        return start

    start = begin(0.0)
    assert (start.unit, start.rungs) == ("seconds", (10, 30, 90))
    report(1, 6.0, at=6.0)
    sweep.on(events.Halted(at=500.0, reason="the node is gone"))
    rows = sweep.take(500.0)
    again = make(trials=1, scheduler=scheduler)
    replay(again, Recorded(events=rows.events, metrics=rows.metrics), at=9_000.0)
    sweep = again
    start = begin(9_000.0)
    assert (start.trained_s, start.recorded) == (6.0, 1)
    report(2, 9.9, at=9_004.0)
    assert sweep.trials[0].rung is None, "four hours have passed, and ten seconds of training have not"
    report(3, 10.0, at=9_005.0)
    assert sweep.trials[0].rung == 10


def test_reasons_name_rungs_with_their_unit() -> None:
    sweep = sweep_of({"method": "asha", "grace_period": 3, "variant": "promote"})
    outcome = simulate(sweep, paced([1.0, 2.5]), slots=2)
    reasons = [row.reason or "" for row in outcome.events if row.event in ("paused", "promoted", "stopped")]
    assert any(reason.endswith("at rung 3 s") for reason in reasons)
    assert any(reason in ("goes on beyond rung 3 s", "goes on beyond rung 9 s") for reason in reasons)
    assert all(" s" in reason for reason in reasons)
    assert "trained for 27 s (scheduler.max)" in {row.reason for row in outcome.trials.values()}


class Listener:
    """What a search is told."""

    def __init__(self, sweep: Sweep) -> None:
        self.told: list[Observation] = []
        search = sweep.search_feedback._search
        tell = search.tell

        def telling(observation: Observation) -> None:
            self.told.append(observation)
            tell(observation)

        search.tell = telling  # type: ignore[method-assign]


def test_the_search_is_told_of_seconds() -> None:
    """Of trials that took their whole time the same, so that they are compared; one that ended by itself is whole."""
    sweep = sweep_of({"method": "asha", "grace_period": 3, "variant": "stop"})
    told = Listener(sweep).told
    outcome = simulate(sweep, paced([2.0, 0.1, 5.0]), slots=2)  # 40 steps of 0.1 s end by themselves
    ends = {each.number: each for each in told if each.outcome is Outcome.COMPLETED}
    by_itself = {number for number in ends if outcome.trials[number].reason == "the trainable finished"}
    assert by_itself
    assert by_itself != set(ends)
    assert {each.step for each in ends.values()} == {27}
    assert {each.step for each in told if each.outcome is not Outcome.COMPLETED} <= {3, 9}


def test_the_time_of_a_trial_is_the_less_of_both() -> None:
    for max_time, key in ((20.0, "trial.max_time"), (40.0, "scheduler.max")):
        sweep = sweep_of({"method": "asha", "grace_period": 3}, trial={"max_time": max_time})
        outcome: virtual_clock.Outcome = simulate(sweep, paced([1.0]), slots=2)
        last = int(min(max_time, 27))
        completed = [row for row in outcome.trials.values() if row.state is State.COMPLETED]
        assert {(row.last_step, row.reason) for row in completed} == {(last, f"trained for {last} s ({key})")}


@given(step=st.integers(0, 10**9), train_s=st.floats(0, 1e9), rung=st.integers(1, 10**9))
def test_what_is_reached(step: int, train_s: float, rung: int) -> None:
    assert (reached("seconds", step, train_s) >= rung) == (train_s >= rung)
    assert (reached("steps", step, train_s) >= rung) == (step >= rung)


def test_the_unit_of_a_recorded_sweep() -> None:
    assert recorded_unit({"scheduler": {"unit": "seconds"}}) == "seconds"
    for spec in ({}, {"scheduler": None}, {"scheduler": {"method": "asha"}}, {"scheduler": {"unit": "steps"}}):
        assert recorded_unit(spec) == "steps"
    assert (rung_name(120, "seconds"), rung_name(9, "steps")) == ("120 s", "9")


def test_a_report_that_took_very_long_passes_all_rungs() -> None:
    sweep = make(
        trials=1, scheduler={"method": "asha", "unit": "seconds", "grace_period": 1, "max": 10**9, "variant": "stop"}
    )
    outcome = simulate(sweep, paced([1e8]), slots=1)
    assert outcome.trials[0].state is State.COMPLETED
    (note,) = [row.reason for row in outcome.events if row.event == "note"]
    assert note == (
        "trial 0 first reports loss after 1157 d 9 h of training, beyond 17 rungs (1 s to 43046721 s): report more"
        " often, or raise scheduler.grace_period"
    )
    assert len(decided(outcome.events)) == len(sweep.scheduler.rungs(0)) == math.ceil(math.log(10**9, 3))
