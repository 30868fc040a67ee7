"""The contract of every scheduler; ASHA against a short oracle that sorts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.schedulers import Scheduler
from orchestrator.core.schedulers.asha import Asha, Rung, default_grace_period
from orchestrator.core.schedulers.none import NoScheduler


def make(name: str, mode: str = "min") -> Scheduler:
    if name == "none":
        return NoScheduler()
    brackets = 3 if name == "asha, 3 brackets" else 1
    return Asha(mode=mode, grace_period=2, reduction_factor=3, max_step=81, brackets=brackets, seed=7)


reports = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 40), st.floats(-1e6, 1e6) | st.just(None)), max_size=60)
"""(trial, steps since its last report, value; None: it diverges)"""


@pytest.mark.parametrize("name", ["none", "asha", "asha, 3 brackets"])
class TestEveryScheduler:
    def play(self, scheduler: Scheduler, history: list[tuple[int, int, float | None]]) -> list[object]:
        steps: dict[int, int] = {}
        ended: set[int] = set()
        decisions: list[object] = []
        for trial, delta, value in history:
            if trial in ended:
                continue
            steps[trial] = steps.get(trial, 0) + delta
            made = scheduler.diverge(trial) if value is None else scheduler.report(trial, steps[trial], value)
            if value is None or any(decision.stop for decision in made):
                ended.add(trial)
            decisions.append(made)
        return decisions

    @settings(derandomize=True, deadline=None)
    @given(history=reports)
    def test_the_same_calls_give_the_same_decisions(self, name: str, history: list) -> None:
        assert self.play(make(name), history) == self.play(make(name), history)

    @settings(derandomize=True, deadline=None)
    @given(history=reports)
    def test_a_rung_is_entered_once_a_trial_and_only_when_reached(self, name: str, history: list) -> None:
        scheduler = make(name)
        steps: dict[int, int] = {}
        entered: set[tuple[int, int]] = set()
        for trial, delta, value in history:
            steps[trial] = steps.get(trial, 0) + delta
            for decision in scheduler.report(trial, steps[trial], value or 0.0):
                assert (trial, decision.rung) not in entered
                assert decision.rung <= steps[trial]
                assert decision.rung in scheduler.rungs(trial)
                entered.add((trial, decision.rung))
        assert sum(rung.entered for rung in scheduler.table()) == len(entered)

    def test_rungs_ascend_and_belong_to_the_trial_alone(self, name: str) -> None:
        scheduler, again = make(name), make(name)
        for trial in reversed(range(50)):
            assert list(scheduler.rungs(trial)) == sorted(set(scheduler.rungs(trial)))
        assert [scheduler.rungs(trial) for trial in range(50)] == [again.rungs(trial) for trial in range(50)]

    def test_the_first_trial_at_a_rung_continues(self, name: str) -> None:
        assert not any(decision.stop for decision in make(name).report(0, 1000, 5.0))

    def test_a_diverged_trial_never_continues(self, name: str) -> None:
        assert all(decision.stop for decision in make(name).diverge(0))


def oracle(values: list[float], eta: int, mode: str) -> tuple[float, bool]:
    """The cutoff and the decision for the last value at a rung, by sorting, as defined."""
    losses = sorted(value if mode == "min" else -value for value in values)
    position = (len(losses) - 1) / eta
    low, high = losses[math.floor(position)], losses[math.ceil(position)]
    if low == math.inf or high == math.inf or low == high:
        cutoff = low
    else:
        cutoff = low + (high - low) * ((len(losses) - 1) % eta / eta)
    loss = values[-1] if mode == "min" else -values[-1]
    return (cutoff if mode == "min" else -cutoff), loss > cutoff or loss == math.inf


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    values=st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, math.inf]), min_size=1, max_size=80),
    eta=st.integers(2, 5),
    mode=st.sampled_from(["min", "max"]),
)
def test_every_decision_of_asha_equals_the_oracle(values: list[float], eta: int, mode: str) -> None:
    asha = Asha(mode=mode, grace_period=1, reduction_factor=eta, max_step=2)
    seen: list[float] = []
    for trial, value in enumerate(values):
        worst = math.inf if mode == "min" else -math.inf
        made = asha.diverge(trial) if value == math.inf else asha.report(trial, 1, value)
        seen.append(worst if value == math.inf else value)
        (decision,) = made
        assert (decision.cutoff, decision.stop) == oracle(seen, eta, mode)


@settings(derandomize=True, deadline=None)
@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=50), eta=st.integers(2, 4))
def test_the_cutoff_is_numpys_linear_quantile(values: list[float], eta: int) -> None:
    rung = Rung(1, eta)
    for value in values:
        cutoff = rung.enter(value)
    assert cutoff == pytest.approx(np.quantile(values, 1 / eta), rel=1e-9, abs=1e-9)


def test_a_report_that_passes_several_rungs_enters_each() -> None:
    asha = Asha(mode="min", grace_period=2, reduction_factor=3, max_step=30)
    assert [decision.rung for decision in asha.report(0, 7, 1.0)] == [2, 6]
    assert [decision.rung for decision in asha.report(0, 18, 1.0)] == [18]
    assert asha.report(0, 29, 1.0) == ()


def test_when_most_diverge_no_finite_trial_is_stopped() -> None:
    """Ray's own cutoff becomes NaN or infinite here, which is common when the learning rate is searched."""
    asha = Asha(mode="min", grace_period=1, reduction_factor=3, max_step=9)
    for trial in range(8):
        asha.diverge(trial)
    (decision,) = asha.report(8, 1, 1e5)
    assert not decision.stop
    assert asha.table()[0].diverged == 8


def test_equal_values_are_never_cut() -> None:
    asha = Asha(mode="max", grace_period=1, reduction_factor=3, max_step=9)
    assert not any(asha.report(trial, 1, 0.1)[0].stop for trial in range(20))


def test_brackets_begin_later_and_are_drawn_by_the_trial_number() -> None:
    asha = Asha(mode="min", grace_period=1, reduction_factor=3, max_step=81, brackets=3, seed=0)
    assert {asha.bracket(trial): asha.rungs(trial) for trial in range(200)} == {
        0: (1, 3, 9, 27),
        1: (3, 9, 27),
        2: (9, 27),
    }
    counts = [sum(asha.bracket(trial) == b for trial in range(3000)) for b in range(3)]
    assert counts[0] > counts[1] > counts[2] > 0


@pytest.mark.parametrize(("max_step", "eta"), [(2, 3), (3, 3), (4, 2), (30, 3), (100, 3), (100, 4), (1000, 2)])
def test_the_default_grace_is_never_a_single_report_if_there_are_several(max_step: int, eta: int) -> None:
    grace = default_grace_period(max_step, eta)
    assert grace < max_step
    assert grace >= 2 or max_step <= 2


def test_max_step_of_one_leaves_no_rung() -> None:
    assert Asha(mode="min", grace_period=1, reduction_factor=3, max_step=1).rungs(0) == ()
