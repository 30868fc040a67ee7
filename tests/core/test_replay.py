"""A sweep rebuilt from its records continues as if it had not been interrupted, wherever the records end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import EVALUATION, EventRow, Failure, MetricRow, State
from orchestrator.core.sweep import Sweep
from orchestrator.simulate.virtual_clock import simulate
from orchestrator.spec import parse_spec
from trainables.report import Report


def make(method: str = "random", trials: int = 12, **sections: Any) -> Sweep:
    data = {
        "trainable": "mine:train",
        "fixed": {"epochs": 27},
        "space": {"x": {"uniform": [0, 1]}, "k": {"int": [1, 5]}},
        "objective": {"metric": "loss"},
        "search": {"method": method, "seed": 1},
        "scheduler": {"method": "asha", "grace_period": 3},
        "budget": {"trials": trials},
    } | sections
    return build_sweep(parse_spec(data, base=Path()), None)


def curve(start: events.Start) -> Iterator[tuple[float, int, dict[str, float]]]:
    x = start.config["x"]
    for step in range(1, 28):
        if (x > 0.9 and step == 5) or (0.1 < x < 0.2 and step == 20):  # 20 is beyond the last rung of most schedulers
            yield 1.0, step, {"loss": math.nan}
        if 0.8 < x < 0.9 and step == 4:
            raise ValueError(f"{x} is not to be had")
        yield 1.0 + start.config["k"] / 10, step, {"loss": x + 1 / step}


class Session:
    """A sweep whose rows are taken in rounds, as a recorder does."""

    def __init__(self, sweep: Sweep) -> None:
        self.events: list[EventRow] = []
        self.metrics: list[MetricRow] = []
        self._sweep = sweep
        self._take = sweep.take
        self.rounds: list[tuple[int, int]] = []

    def recorded(self, rounds: int, cut: int) -> Recorded:
        """The records after some rounds and a part of the next one: its starts, its metrics, or all."""
        full = self.rounds[rounds - 1] if rounds else (0, 0)
        upto = self.rounds[min(rounds, len(self.rounds) - 1)]
        torn = self.events[full[0] : upto[0]]
        starts = [event for event in torn if event.event == State.PENDING]
        rest = [event for event in torn if event.event != State.PENDING]
        return Recorded(
            events=self.events[: full[0]] + (starts if cut >= 1 else []) + (rest if cut >= 3 else []),
            metrics=self.metrics[: upto[1] if cut >= 2 else full[1]],
        )


def run(sweep: Sweep, slots: int, period: float) -> Session:
    """Simulate to the end, recording a round at a fixed interval."""
    session = Session(sweep)
    following = 0.0
    ask = sweep.ask
    on = sweep.on

    def record(at: float) -> None:
        nonlocal following
        if at >= following:
            following = at + period
            rows = sweep.take(at)
            session.events += rows.events
            session.metrics += rows.metrics
            session.rounds.append((len(session.events), len(session.metrics)))

    def asking(at: float) -> events.Start | None:
        record(at)
        return ask(at)

    def telling(event: events.Event) -> bool:
        goes_on = on(event)
        record(event.at)
        return goes_on

    sweep.ask, sweep.on = asking, telling  # type: ignore[method-assign]
    rest = simulate(sweep, curve, slots=slots)
    session.events += rest.events
    session.metrics += rest.metrics
    session.rounds.append((len(session.events), len(session.metrics)))
    return session


@settings(derandomize=True, deadline=None, max_examples=60)
@given(data=st.data(), method=st.sampled_from(["random", "sobol", "random"]), slots=st.integers(1, 4))
def test_cut_anywhere_it_ends_as_the_undisturbed_one(data: st.DataObject, method: str, slots: int) -> None:
    undisturbed = make(method, scheduler={"method": "none"})
    simulate(undisturbed, curve, slots=slots)

    session = run(make(method, scheduler={"method": "none"}), slots, data.draw(st.sampled_from([0.0, 3.0, 20.0])))
    recorded = session.recorded(data.draw(st.integers(0, len(session.rounds) - 1)), data.draw(st.integers(0, 3)))
    again = make(method, scheduler={"method": "none"})
    replay(again, recorded, at=1e6)
    ended = {trial.number for trial in again.trials if trial.state.ended}
    rest = simulate(again, curve, slots=slots, began=1e6)

    rows = [*recorded.metrics, *rest.metrics]
    assert len({(row.trial, row.step) for row in rows}) == len(rows)
    assert {(row.trial, row.step) for row in rows} == {(row.trial, row.step) for row in session.metrics}
    assert not {event.trial for event in rest.events if event.event == State.RUNNING} & ended
    assert [(trial.config, trial.seed, trial.state) for trial in again.trials] == [
        (trial.config, trial.seed, trial.state) for trial in undisturbed.trials
    ]
    assert again.best is not None
    assert undisturbed.best is not None
    assert (again.best.number, again.best.result) == (undisturbed.best.number, undisturbed.best.result)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(data=st.data(), method=st.sampled_from(["tpe", "random"]), variant=st.sampled_from(["stop", "promote", "auto"]))
def test_with_asha_every_decision_stands_and_none_is_left_out(data: st.DataObject, method: str, variant: str) -> None:
    scheduler = {"method": "asha", "grace_period": 3, "variant": variant}
    session = run(make(method, scheduler=scheduler), 3, data.draw(st.sampled_from([0.0, 7.0])))
    recorded = session.recorded(data.draw(st.integers(0, len(session.rounds) - 1)), data.draw(st.integers(0, 3)))
    again = make(method, scheduler=scheduler)
    replay(again, recorded, at=1e6)
    before = {(event.trial, event.rung) for event in recorded.events if event.event == "rung"}
    rest = simulate(again, curve, slots=3, began=1e6)
    after = [(event.trial, event.rung) for event in rest.events if event.event == "rung"]
    assert not before & set(after)
    assert len(set(after)) == len(after)
    for trial in again.trials:
        assert trial.state.ended
        reached = [rung for rung in (3, 9) if trial.last_step is not None and trial.last_step >= rung]
        entered = sorted(rung for number, rung in [*before, *after] if number == trial.number and rung is not None)
        assert entered[: len(reached)] == reached


SCHEDULERS: list[dict[str, Any]] = [
    *({"method": "asha", "grace_period": 3, "variant": variant} for variant in ("stop", "promote", "auto")),
    {"method": "asha", "grace_period": 1, "brackets": 3, "audit": 0.3},
    {"method": "hyperband"},
    {"method": "pasha", "grace_period": 1},
    {"method": "median", "grace_period": 2, "audit": 0.3},
    {"method": "top_after", "grace_period": 2, "top": 2},
]
SCHEDULERS += [{**each, "unit": "seconds", "max": 32} for each in SCHEDULERS]  # steps take 1.1 to 1.5 s


@settings(derandomize=True, deadline=None, max_examples=100)
@given(data=st.data(), scheduler=st.sampled_from(SCHEDULERS))
def test_killed_after_any_record_all_decisions_are_the_same(data: st.DataObject, scheduler: dict[str, Any]) -> None:
    """One slot, every round recorded: what follows the kill is what would have followed anyway, pauses included."""
    undisturbed = run(make(scheduler=scheduler), 1, 0.0)
    cut = data.draw(st.integers(0, len(undisturbed.rounds) - 2))
    recorded = undisturbed.recorded(cut, 0)
    again = make(scheduler=scheduler)
    replay(again, recorded, at=1e6)
    rest = simulate(again, curve, slots=1, began=1e6)

    def decisions(rows: Sequence[EventRow]) -> list[tuple[object, ...]]:
        kinds = ("rung", "paused", "promoted", "completed", "stopped", "diverged", "failed")
        return [(row.trial, row.event, row.rung, row.decision, row.value) for row in rows if row.event in kinds]

    assert decisions(recorded.events) + decisions(rest.events) == decisions(undisturbed.events)


def test_the_whole_of_a_finished_sweep_is_recalled() -> None:
    session = run(sweep := make("tpe"), 2, 5.0)
    again = make("tpe")
    replay(again, Recorded(events=session.events, metrics=session.metrics), at=1e6)
    assert again.finished
    for one, two in zip(sweep.trials, again.trials, strict=True):
        left, right = one.row(0.0), two.row(0.0)
        for name in ("state", "config", "seed", "objective", "best_step", "last_step", "rung", "attempts", "failures"):
            assert getattr(left, name) == getattr(right, name), name
        assert (left.reason, left.failure) == (right.reason, right.failure)
        assert left.train_s == right.train_s
    assert [summary.entered for summary in again.scheduler.table()] == [
        summary.entered for summary in sweep.scheduler.table()
    ]


def test_trials_cancelled_with_the_sweep_go_on() -> None:
    sweep = make(trials=4, budget={"trials": 4, "hours": 40 / 3600}, scheduler={"method": "none"})
    outcome = simulate(sweep, curve, slots=2)
    assert sweep.halted is not None
    cancelled = [number for number, row in outcome.trials.items() if row.state is State.CANCELLED]
    assert cancelled
    again = make(trials=4, budget={"trials": 4, "hours": 1}, scheduler={"method": "none"})
    replay(again, Recorded(events=outcome.events, metrics=outcome.metrics), at=1000.0)
    rest = simulate(again, curve, slots=2, began=1000.0)
    assert {trial.state for trial in again.trials} <= {State.COMPLETED, State.DIVERGED, State.FAILED}
    assert all(again.trials[number].attempts == 2 for number in cancelled)
    rows = [*outcome.metrics, *rest.metrics]
    assert len({(row.trial, row.step) for row in rows}) == len(rows)


def test_a_cancelled_trial_goes_on_although_it_was_evaluated() -> None:
    sweep = make(trials=2, budget={"trials": 2, "hours": 20 / 3600}, scheduler={"method": "none"})
    outcome = simulate(sweep, curve, slots=2)
    assert sweep.trials[1].state is State.CANCELLED
    look = EventRow(at=500.0, event=EVALUATION, trial=1, detail={"test_loss": 0.5})
    again = make(trials=2, budget={"trials": 2, "hours": 1}, scheduler={"method": "none"})
    replay(again, Recorded(events=[*outcome.events, look], metrics=outcome.metrics), at=1000.0)
    assert again.trials[1].state is State.PENDING


def test_time_used_before_counts() -> None:
    sweep = make(trials=50, budget={"trials": 50, "hours": 100 / 3600}, scheduler={"method": "none"})
    first = run(sweep, 2, 5.0)
    recorded = Recorded(
        events=[event for event in first.events if event.at < 60],
        metrics=[row for row in first.metrics if row.reported_at < 60],
    )
    again = make(trials=50, budget={"trials": 50, "hours": 100 / 3600}, scheduler={"method": "none"})
    replay(again, recorded, at=5000.0)
    outcome = simulate(again, curve, slots=2, began=5000.0)
    assert again.halted is not None
    assert outcome.seconds == pytest.approx(40, abs=3)


@pytest.mark.parametrize("second_began", [5000.0, 10_010.0, 10_060.0, 90_000.0])
def test_a_clock_that_is_set_between_sessions_uses_up_no_time(second_began: float) -> None:
    def sweep(seconds: float) -> Sweep:
        return make(trials=50, budget={"trials": 50, "hours": seconds / 3600}, scheduler={"method": "none"})

    first = simulate(sweep(60), curve, slots=2, began=10_000.0)
    again = sweep(100)
    replay(again, Recorded(events=first.events, metrics=first.metrics), at=second_began)
    second = simulate(again, curve, slots=2, began=second_began)
    assert second.seconds == pytest.approx(40, abs=3)
    last = sweep(130)
    recorded = Recorded(events=[*first.events, *second.events], metrics=[*first.metrics, *second.metrics])
    replay(last, recorded, at=20_000.0)
    assert last.usage.earlier_s == pytest.approx(100, abs=5)
    assert all(trial.row(20_000.0).overhead_s >= 0 for trial in last.trials)


@pytest.mark.parametrize("events_before", [20, 60, 110, 160])
@pytest.mark.parametrize("method", ["tpe", "auto"])
def test_after_it_the_search_proposes_what_it_would_have(method: str, events_before: int) -> None:
    sweep = make(method, trials=60)
    running: dict[int, Iterator[tuple[float, int, dict[str, float]]]] = {}
    for at in range(events_before):
        while sweep.live < 3 and (start := sweep.ask(float(at))) is not None:
            sweep.on(events.Started(trial=start.trial, at=float(at)))
            running[start.trial] = curve(start)
        number = sorted(sweep._live)[at % sweep.live]
        try:
            _, step, metrics = next(running[number])
        except ValueError as error:
            failure = Failure(type="ValueError", message=str(error))
            sweep.on(events.Failed(trial=number, at=float(at), failure=failure, train_s=4.0))
            continue
        except StopIteration:
            sweep.on(events.Finished(trial=number, at=float(at), train_s=27.0))
            continue
        report = Report(step=step, train_s=float(step), reported_at=float(at), metrics=metrics)
        sweep.on(events.Reported(trial=number, at=float(at), reports=[report]))
    rows = sweep.take(1e6)
    again = make(method, trials=60)
    replay(again, Recorded(events=rows.events, metrics=rows.metrics), at=1e6)
    assert len(again.trials) == len(sweep.trials)
    proposed = [each.trial_queue.propose(len(sweep.trials)) for each in (sweep, again)]
    assert proposed[0] is not None
    assert proposed[0] == proposed[1]
