"""A finished sweep is extended: longer trainings, retried trials, added configurations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.extend import Extension, extend, full_length, retry
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import EventRow, MetricRow, Origin, State
from orchestrator.core.sweep import Sweep
from orchestrator.core.trial_queue import LONGEST_WAIT_S, wait_after
from orchestrator.errors import UserError
from orchestrator.simulate.virtual_clock import Outcome, simulate
from orchestrator.spec import Spec, parse_spec
from trainables.declaration import Declaration, Hyperparameter


def spec_of(**sections: Any) -> Spec:
    data = {
        "trainable": "mine:train",
        "fixed": {"epochs": 9},
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "search": {"method": "random", "seed": 1},
        "scheduler": {"method": "none"},
        "budget": {"trials": 12},
    } | sections
    return parse_spec(data, base=Path())


def curve_to(last: int) -> Any:
    """A loss of x + 1 / step. A further attempt continues after the last recorded step, as from a checkpoint."""
    stood: dict[int, int] = {}

    def curve(start: events.Start) -> Iterator[tuple[float, int, dict[str, float]]]:
        for step in range(stood.get(start.trial, 0) + 1, last + 1):
            stood[start.trial] = step
            yield 1.0, step, {"loss": start.config["x"] + 1 / step}

    return curve


def again(spec: Spec, outcome: Outcome) -> Sweep:
    sweep = build_sweep(spec, None)
    replay(sweep, Recorded(events=outcome.events, metrics=outcome.metrics), at=1e6)
    return sweep


def grown(spec: Spec, extension: Extension) -> Spec:
    return parse_spec(spec.to_plain(), base=Path(), overrides=extension.overrides(spec, None))


def joined(one: Outcome, two: Outcome) -> Outcome:
    return Outcome(
        seconds=0.0,
        busy_s=0.0,
        metrics=[*one.metrics, *two.metrics],
        events=[*one.events, *two.events],
        trials={**one.trials, **two.trials},
    )


class TestLongerTrainings:
    @pytest.mark.parametrize("grace_period", [1, 2])
    def test_the_best_third_of_those_at_the_old_end_go_on(self, grace_period: int) -> None:
        """With grace period 1 there is a rung at the old end, 9; with 2 there is none."""
        before = spec_of(
            scheduler={"method": "asha", "grace_period": grace_period, "reduction_factor": 3}, budget={"trials": 60}
        )
        first = simulate(build_sweep(before, None), curve_to(9), slots=3)
        ended = {n: row for n, row in first.trials.items() if row.state is State.COMPLETED}
        after = grown(before, Extension(max_steps=27))
        sweep = again(after, first)
        count = extend(sweep, 9, at=1e6)
        going_on = {trial.number for trial in sweep.trials if not trial.state.ended}
        assert count == len(going_on)
        assert 0 < count < len(ended)
        worst = max(ended[n].objective_last or 0.0 for n in going_on)
        assert all((ended[n].objective_last or 0.0) > worst for n in ended.keys() - going_on)
        assert len(going_on) == pytest.approx(len(ended) / 3, abs=1)

        second = simulate(sweep, curve_to(27), slots=3, began=1e6)
        assert {row.trial for row in second.metrics} == going_on
        rows = [(row.trial, row.step) for row in [*first.metrics, *second.metrics]]
        assert len(set(rows)) == len(rows)
        decided = [(row.trial, row.rung) for row in [*first.events, *second.events] if row.event == "rung"]
        assert len(set(decided)) == len(decided)
        assert all(sweep.trials[n].state in (State.COMPLETED, State.STOPPED) for n in going_on)
        assert any(sweep.trials[n].last_step == 27 for n in going_on)
        assert again(after, joined(first, second)).finished

    def test_without_a_scheduler_all_go_on_and_a_crash_in_between_loses_none(self) -> None:
        before = spec_of()
        first = simulate(build_sweep(before, None), curve_to(9), slots=2)
        after = grown(before, Extension(max_steps=12))
        sweep = again(after, first)
        assert extend(sweep, 9, at=1e6) == 12
        rows = sweep.take(1e6)  # and nothing more is recorded
        crashed = joined(first, Outcome(seconds=0, busy_s=0, metrics=[], events=rows.events, trials={}))
        sweep = again(after, crashed)
        second = simulate(sweep, curve_to(12), slots=2, began=2e6)
        assert {trial.last_step for trial in sweep.trials} == {12}
        assert {(row.trial, row.step) for row in second.metrics} == {(n, s) for n in range(12) for s in (10, 11, 12)}

    @pytest.mark.parametrize("method", ["asha", "auto"])
    def test_old_rungs_stay_where_they_are(self, method: str) -> None:
        before = spec_of(fixed={"epochs": 100}, search={"method": "auto"}, scheduler={"method": method})
        after = grown(before, Extension(max_steps=1000))
        one, two = (build_sweep(spec, None).scheduler for spec in (before, after))
        assert len({one.rungs(trial) for trial in range(200)}) == (2 if method == "auto" else 1)
        for trial in range(200):
            assert two.rungs(trial)[: len(one.rungs(trial))] == one.rungs(trial)
            assert len(two.rungs(trial)) > len(one.rungs(trial))

    @pytest.mark.parametrize(
        ("sections", "steps", "words"),
        [
            ({}, 8, "cannot be less than 9"),
            ({"fixed": {}}, 9, "is unknown"),
            ({"fixed": {}, "space": {"epochs": {"int": [1, 9]}}}, 20, "epochs is a searched parameter"),
            ({"scheduler": {"method": "asha", "grace_period": 1, "brackets": 2}}, 20, "several brackets"),
        ],
    )
    def test_what_cannot_be_longer(self, sections: dict[str, Any], steps: int, words: str) -> None:
        with pytest.raises(UserError, match=words):
            grown(spec_of(**sections), Extension(max_steps=steps))

    def test_rungs_at_seconds_stay_where_they_are(self) -> None:
        seconds = {"method": "asha", "unit": "seconds", "grace_period": 2, "reduction_factor": 3, "max": 30}
        before = spec_of(scheduler=seconds, budget={"trials": 30})
        first = simulate(build_sweep(before, None), curve_to(9), slots=3)
        after = grown(before, Extension(max_steps=27))
        assert after.scheduler == before.scheduler
        assert after.fixed["epochs"] == 27
        sweep = again(after, first)
        ended = {n for n, row in first.trials.items() if row.state is State.COMPLETED}
        assert 0 < extend(sweep, 9, at=1e6) < len(ended)
        second = simulate(sweep, curve_to(27), slots=3, began=1e6)
        decided = [(row.trial, row.rung) for row in [*first.events, *second.events] if row.event == "rung"]
        assert len(set(decided)) == len(decided)
        assert {rung for _, rung in decided} == {2, 6, 18}
        assert again(after, joined(first, second)).finished

    def test_whoever_ends_a_training_is_told_of_the_new_length(self) -> None:
        both = spec_of(scheduler={"method": "asha", "max": 5, "grace_period": 1})
        assert full_length(both, None) == 5
        after = grown(both, Extension(max_steps=20))
        assert after.fixed["epochs"] == 20
        assert after.scheduler is not None
        assert after.scheduler.max == 20
        ours = spec_of(fixed={}, scheduler={"max": 5})
        assert grown(ours, Extension(max_steps=20)).fixed == {}
        length = Hyperparameter(name="rounds", type=int, default=7, meaning="rounds")
        theirs = Declaration(hyperparameters=(length,), length="rounds")
        plain = spec_of(fixed={})
        assert full_length(plain, theirs) == 7
        assert Extension(max_steps=20).overrides(plain, theirs) == ["fixed.rounds=20"]


SECONDS: dict[str, Any] = {"method": "asha", "unit": "seconds", "grace_period": 1, "reduction_factor": 3, "max": 9}
MEDIAN: dict[str, Any] = {"method": "median", "unit": "seconds", "max": 9}


class TestMoreTime:
    """Steps take a second."""

    def test_rungs_at_seconds_go_on_beyond_the_old_end(self) -> None:
        before = spec_of(scheduler=SECONDS, fixed={"epochs": 100}, budget={"trials": 60})
        first = simulate(build_sweep(before, None), curve_to(100), slots=3)
        ended = {n: row for n, row in first.trials.items() if row.state is State.COMPLETED}
        assert {row.last_step for row in ended.values()} == {9}
        after = grown(before, Extension(max_time=27))
        assert after.scheduler is not None
        assert (after.scheduler.max, after.scheduler.grace_period) == (27, 1)
        sweep = again(after, first)
        count = extend(sweep, None, at=1e6, old_s=9)
        assert count == pytest.approx(len(ended) / 3, abs=1)
        second = simulate(sweep, curve_to(100), slots=3, began=1e6)
        assert len({row.trial for row in second.metrics}) == count
        decided = [(row.trial, row.rung) for row in [*first.events, *second.events] if row.event == "rung"]
        assert len(set(decided)) == len(decided)
        assert {trial for trial, rung in decided if rung == 9} == set(ended), "the old end has become a rung"
        reasons = [row.reason or "" for row in second.events if row.event == "retry"]
        assert all(reason.startswith("continues beyond 9.0 s of training: ") for reason in reasons)
        longest = [trial for trial in sweep.trials if trial.state is State.COMPLETED and trial.last_step == 27]
        assert {trial.reason for trial in longest} == {"trained for 27 s (scheduler.max)"}
        assert again(after, joined(first, second)).finished

    def test_only_trials_that_time_has_ended_go_on(self) -> None:
        def curve(start: events.Start) -> Iterator[tuple[float, int, dict[str, float]]]:
            last = 5 if start.trial % 2 else 100  # every other trial ends by itself, at the very end of its time
            for step in range((start.recorded or 0) + 1, last + 1):
                yield 2.0, step, {"loss": start.config["x"]}

        before = spec_of(trial={"max_time": 10.5}, fixed={"epochs": 100})
        first = simulate(build_sweep(before, None), curve, slots=2)
        after = grown(before, Extension(max_time=20))
        assert (after.trial.max_time, after.scheduler) == (20, before.scheduler)
        sweep = again(after, first)
        assert extend(sweep, None, at=1e6, old_s=10.5) == 6
        simulate(sweep, curve, slots=2, began=1e6)
        assert [trial.last_step for trial in sweep.trials] == [10, 5] * 6

    def test_both_limits_are_raised(self) -> None:
        both = spec_of(scheduler=SECONDS, trial={"max_time": 12})
        after = grown(both, Extension(max_time=10))
        assert after.scheduler is not None
        assert (after.scheduler.max, after.trial.max_time) == (10, 12)
        after = grown(both, Extension(max_time=20.5))
        assert after.scheduler is not None
        assert (after.scheduler.max, after.trial.max_time) == (21, 20.5)
        assert Extension(max_time=9).overrides(both, None) == []

    @pytest.mark.parametrize(
        ("sections", "seconds", "words"),
        [
            ({}, 20, r"--max-time: no time ends this sweep's trainings \(trial.max_time\)"),
            ({"trial": {"max_time": "1m"}}, 20, "--max-time is a total and cannot be less than 1 min 00 s"),
            ({"scheduler": {**SECONDS, "brackets": 2}}, 20, "--max-time does not work with several brackets"),
            (
                {"scheduler": {"unit": "seconds", "method": "median", "max": 9}},
                20,
                "--max-time does not work with median",
            ),
        ],
    )
    def test_what_cannot_take_longer(self, sections: dict[str, Any], seconds: float, words: str) -> None:
        with pytest.raises(UserError, match=words):
            grown(spec_of(**sections), Extension(max_time=seconds))


def failing(start: events.Start) -> Iterator[tuple[float, int, dict[str, float]]]:
    yield 1.0, 1, {"loss": start.config["x"]}
    if start.trial in (2, 5):
        raise ValueError(f"broken at {start.trial}")
    if start.trial == 3:
        raise OverflowError("too large")


class TestRetry:
    def test_what_failed_is_tried_as_new_trials_beside_the_budget(self) -> None:
        first = simulate(build_sweep(spec_of(), None), failing, slots=2)
        sweep = again(spec_of(), first)
        assert retry(sweep, [State.FAILED], at=1e6) == 2
        second = simulate(sweep, failing, slots=2, began=1e6)
        assert [(row.trial, row.retry_of, row.origin) for row in second.trials.values() if row.trial > 11] == [
            (12, 2, Origin.RETRY),
            (13, 5, Origin.RETRY),
        ]
        assert sweep.trials[12].config == sweep.trials[2].config
        assert sweep.trials[12].seed != sweep.trials[2].seed
        assert [sweep.trials[n].state for n in (2, 5, 12, 13)] == [State.FAILED] * 2 + [State.COMPLETED] * 2

        third = again(spec_of(), joined(first, second))
        assert third.finished
        assert retry(third, [State.FAILED], at=2e6) == 0
        assert retry(third, [State.FAILED, State.DIVERGED], at=2e6) == 1
        assert third.trials[14].retry_of == 3

    def test_the_budget_counts_what_the_search_proposed(self) -> None:
        first = simulate(build_sweep(spec_of(), None), failing, slots=2)
        sweep = again(grown(spec_of(), Extension(trials=15)), first)
        retry(sweep, [State.FAILED], at=1e6)
        simulate(sweep, failing, slots=2, began=1e6)
        assert [trial.origin for trial in sweep.trials[12:]] == [Origin.RETRY] * 2 + [Origin.SEARCH] * 3
        assert sweep.total == 17

    def test_the_wait_before_a_further_attempt_doubles(self) -> None:
        assert [wait_after(n) for n in (1, 2, 3, 4)] == [1, 2, 4, 8]
        assert wait_after(50) == LONGEST_WAIT_S

        def twice(start: events.Start) -> Iterator[tuple[float, int, dict[str, float]]]:
            if start.attempt < 3:
                raise ValueError(f"attempt {start.attempt}")
            yield 1.0, 1, {"loss": 1.0}

        sweep = build_sweep(spec_of(budget={"trials": 1}, trial={"retries": 2}), None)
        outcome = simulate(sweep, twice, slots=1)
        began = [row.at for row in outcome.events if row.event == State.RUNNING]
        assert began == [0.0, 1.0, 3.0]
        assert outcome.trials[0].state is State.COMPLETED


class TestAdd:
    def test_an_added_configuration_is_next_and_comes_on_top(self) -> None:
        sweep = build_sweep(spec_of(budget={"trials": 2}), None)
        first = sweep.ask(0.0)
        assert first is not None
        sweep.on(events.ConfigAdded(at=0.5, config={"x": 0.125}, by="me"))
        following = sweep.ask(1.0)
        assert following is not None
        assert following.config == {"x": 0.125}
        assert sweep.total == 3
        assert sweep.ask(2.0) is not None
        assert sweep.ask(3.0) is None
        assert [trial.origin for trial in sweep.trials] == [Origin.SEARCH, Origin.ADDED, Origin.SEARCH]

    def test_a_tried_configuration_is_ignored_with_a_note(self) -> None:
        sweep = build_sweep(spec_of(), None)
        start = sweep.ask(0.0)
        assert start is not None
        sweep.on(events.ConfigAdded(at=1.0, config=start.config, by="me"))
        assert len(sweep.trials) == 1
        notes = [row.reason for row in sweep.take(2.0).events if row.event == "note"]
        assert notes == ["ignored a configuration added by me: it was tried before"]

    def test_an_added_configuration_survives_a_crash_before_it_begins(self) -> None:
        sweep = build_sweep(spec_of(budget={"trials": 1}), None)
        sweep.ask(0.0)
        sweep.on(events.ConfigAdded(at=1.0, config={"x": 0.125}, by="me"))
        rows = sweep.take(1.0)
        restarted = build_sweep(spec_of(budget={"trials": 1}), None)
        replay(restarted, Recorded(events=rows.events, metrics=[]), at=5.0)
        assert [(trial.config, trial.origin) for trial in restarted.trials][1] == ({"x": 0.125}, Origin.ADDED)
        assert not restarted.finished

    def test_a_sweep_that_ends_takes_no_more(self) -> None:
        sweep = build_sweep(spec_of(), None)
        sweep.ask(0.0)
        sweep.on(events.StopAfterNextReport(at=1.0, reason="stop"))
        sweep.on(events.ConfigAdded(at=2.0, config={"x": 0.125}, by="me"))
        assert len(sweep.trials) == 1


class TestRepeats:
    """Configurations that are tried several times, each time with another seed."""

    def spec(self) -> Spec:
        configs = [{"x": 0.1}, {"x": 0.2}, {"x": 0.3}]
        return spec_of(search={"method": "list", "configs": configs, "repeats": 3}, budget={})

    def test_a_trial_has_its_own_seed(self) -> None:
        sweep = build_sweep(self.spec(), None)
        outcome = simulate(sweep, curve_to(3), slots=2)
        assert [row.config["x"] for row in outcome.trials.values()] == [0.1, 0.2, 0.3] * 3
        assert len({row.seed for row in outcome.trials.values()}) == 9

    def test_a_crash_anywhere_changes_nothing(self) -> None:
        whole = simulate(build_sweep(self.spec(), None), curve_to(3), slots=1)
        for cut in range(0, len(whole.events), 5):
            begun = Outcome(seconds=0, busy_s=0, metrics=[], events=whole.events[:cut], trials={})
            rest = simulate(again(self.spec(), begun), curve_to(3), slots=1)
            assert [row.config for row in rest.trials.values()] == [row.config for row in whole.trials.values()]
            assert [row.seed for row in rest.trials.values()] == [row.seed for row in whole.trials.values()]

    def test_a_retry_takes_no_turn(self) -> None:
        sweep = build_sweep(self.spec(), None)
        sweep.enqueue_trial(0.0, {"x": 0.1}, Origin.RETRY, None)
        simulate(sweep, curve_to(3), slots=1)
        assert [trial.config["x"] for trial in sweep.trials].count(0.1) == 4


def test_the_time_between_two_sessions_is_no_running_time() -> None:
    before = spec_of()
    first = simulate(build_sweep(before, None), curve_to(9), slots=2)
    sweep = again(grown(before, Extension(max_steps=12)), first)
    sweep.begin(1e6)
    extend(sweep, 9, at=1e6)
    second = simulate(sweep, curve_to(12), slots=2, began=1e6 + 5)
    used = first.seconds + second.seconds + 5
    assert again(grown(before, Extension(max_steps=12)), joined(first, second)).usage.earlier_s == pytest.approx(used)


def test_test_scores_measured_later_are_no_running_time() -> None:
    began = EventRow(at=0.0, event="sweep", reason="began")
    late = EventRow(at=1e6, event="evaluation", trial=0, detail={"test_loss": 0.5})
    row = MetricRow(trial=0, attempt=1, step=1, train_s=1.0, reported_at=9.0, metrics={"loss": 1.0})
    config = {"config": {"x": 0.5}, "origin": "search", "retry_of": None}
    pending = EventRow(at=0.0, event="pending", trial=0, detail=config)
    sweep = build_sweep(spec_of(), None)
    replay(sweep, Recorded(events=[began, pending, late], metrics=[row]), at=2e6)
    assert sweep.usage.earlier_s == 9.0
