"""The contract of every scheduler; ASHA against short oracles."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.schedulers import Action, Decision, Scheduler
from orchestrator.core.schedulers.asha import Asha, default_grace_period
from orchestrator.core.schedulers.median import Median
from orchestrator.core.schedulers.none import NoScheduler
from orchestrator.core.schedulers.pasha import Pasha
from orchestrator.core.schedulers.rung import BURST, DEBT, SPARE, Rung
from orchestrator.core.schedulers.top_after import TopAfter


def asha(**options: Any) -> Asha:
    return Asha(**{"mode": "min", "grace_period": 2, "reduction_factor": 3, "max_step": 81, "seed": 7, **options})


SCHEDULERS: dict[str, Callable[[str], Scheduler]] = {
    "none": lambda mode: NoScheduler(),
    "asha": lambda mode: asha(mode=mode),
    "asha, promote": lambda mode: asha(mode=mode, variant="promote"),
    "asha, stop": lambda mode: asha(mode=mode, variant="stop"),
    "asha, 3 brackets": lambda mode: asha(mode=mode, brackets=3),
    "hyperband": lambda mode: asha(mode=mode, brackets=5),
    "asha, explorers apart": lambda mode: asha(mode=mode, max_step=486, apart=lambda trial: trial % 3),
    "pasha": lambda mode: Pasha(mode=mode, grace_period=2, reduction_factor=3, max_step=81),
    "median": lambda mode: Median(mode=mode, grace_period=2, max_step=81),
    "top_after": lambda mode: TopAfter(mode=mode, step=5, top=3),
}

Move = tuple[str, int, int, float, bool]

moves = st.lists(
    st.tuples(
        st.sampled_from(["report", "report", "report", "diverge", "promote", "close", "release", "drop"]),
        st.integers(0, 9),  # a trial
        st.integers(1, 40),  # steps since its last report
        st.floats(-1e6, 1e6),
        st.booleans(),  # whether its state is saved
    ),
    max_size=50,
)


class Played:
    """A scheduler, and what a sweep knows of its trials."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.steps: dict[int, int] = {}
        self.paused: set[int] = set()
        self.ended: set[int] = set()
        self.decisions: list[tuple[int, Decision]] = []

    def move(self, kind: str, trial: int, delta: int, value: float, saved: bool) -> object:
        """Do one thing that a sweep may do; returns what the scheduler answered."""
        scheduler = self.scheduler
        if kind in ("promote", "close"):
            found = scheduler.next_promotion(closing=kind == "close")
            assert found == scheduler.next_promotion(closing=kind == "close"), "to ask changes nothing"
            if found is not None:
                scheduler.promote(found)
                self.paused.remove(found)
            return found
        if kind == "drop":
            found = scheduler.next_surplus()
            if found is not None:
                self.release(found)
            return found
        if kind == "release":
            if trial in self.paused:
                self.release(trial)
            return None
        if trial in self.paused | self.ended:
            return None
        self.steps[trial] = self.steps.get(trial, 0) + delta
        if kind == "diverge":
            made = scheduler.diverge(trial)
            assert all(decision.action is Action.STOP for decision in made), "a diverged trial never continues"
            self.ended.add(trial)
        else:
            made = scheduler.report(trial, self.steps[trial], value, pausable=saved)
            assert all(decision.action is Action.CONTINUE for decision in made[:-1])
            if made and made[-1].action is Action.PAUSE:
                assert scheduler.pauses
                self.paused.add(trial)
            elif made and made[-1].action is Action.STOP:
                self.ended.add(trial)
        self.decisions += [(trial, decision) for decision in made]
        return made

    def release(self, trial: int) -> None:
        self.scheduler.release(trial)
        self.paused.remove(trial)
        self.ended.add(trial)


def play(scheduler: Scheduler, history: list[Move]) -> tuple[Played, list[object]]:
    played = Played(scheduler)
    return played, [played.move(*each) for each in history]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("name", SCHEDULERS)
class TestEveryScheduler:
    @settings(derandomize=True, deadline=None, max_examples=40)
    @given(history=moves)
    def test_the_same_calls_give_the_same_decisions(self, name: str, mode: str, history: list[Move]) -> None:
        assert play(SCHEDULERS[name](mode), history)[1] == play(SCHEDULERS[name](mode), history)[1]

    @settings(derandomize=True, deadline=None, max_examples=40)
    @given(history=moves)
    def test_a_rung_is_entered_once_a_trial_and_only_when_reached(
        self, name: str, mode: str, history: list[Move]
    ) -> None:
        played, _ = play(scheduler := SCHEDULERS[name](mode), history)
        entered = [(trial, decision.rung) for trial, decision in played.decisions]
        assert len(set(entered)) == len(entered)
        finite = [(trial, each.rung) for trial, each in played.decisions if math.isfinite(each.value)]
        assert all(rung <= played.steps[trial] for trial, rung in finite)
        assert all(rung in scheduler.rungs(trial) for trial, rung in entered)
        assert sum(rung.entered for rung in scheduler.table()) == len(entered)
        assert sum(rung.paused for rung in scheduler.table()) == len(played.paused)
        assert sum(rung.stopped for rung in scheduler.table()) <= len(played.ended)

    @settings(derandomize=True, deadline=None, max_examples=40)
    @given(history=moves, rest=moves)
    def test_what_is_restored_decides_as_the_original(
        self, name: str, mode: str, history: list[Move], rest: list[Move]
    ) -> None:
        played, _ = play(SCHEDULERS[name](mode), history)
        again = Played(SCHEDULERS[name](mode))
        decided = iter(played.decisions)
        shadow = Played(SCHEDULERS[name](mode))
        for each in history:
            answer = shadow.move(*each)
            if isinstance(answer, tuple):
                made = [next(decided) for _ in answer]
                if each[0] == "diverge":
                    again.scheduler.diverge(each[1])
                else:
                    for decision in made:
                        again.scheduler.restore(*decision)
            elif each[0] in ("promote", "close") and answer is not None:
                again.scheduler.promote(answer)
            elif each[0] == "drop" and answer is not None:
                again.scheduler.release(answer)
            elif each[0] == "release" and each[1] in shadow.ended and each[1] in again.paused:
                again.scheduler.release(each[1])
            again.paused, again.ended, again.steps = set(shadow.paused), set(shadow.ended), dict(shadow.steps)
        assert again.scheduler.table() == played.scheduler.table()
        assert [again.move(*each) for each in rest] == [played.move(*each) for each in rest]

    @settings(derandomize=True, deadline=None, max_examples=40)
    @given(history=moves)
    def test_every_paused_trial_leaves_when_it_is_released_or_promoted(
        self, name: str, mode: str, history: list[Move]
    ) -> None:
        played, _ = play(SCHEDULERS[name](mode), history)
        while played.move("close", 0, 0, 0.0, False) is not None:
            pass
        for trial in sorted(played.paused):
            played.release(trial)
        assert not any(rung.paused for rung in played.scheduler.table())
        assert played.scheduler.next_promotion(closing=True) is None
        assert played.scheduler.next_surplus() is None

    def test_rungs_ascend_and_belong_to_the_trial_alone(self, name: str, mode: str) -> None:
        scheduler, again = SCHEDULERS[name](mode), SCHEDULERS[name](mode)
        for trial in reversed(range(50)):
            assert list(scheduler.rungs(trial)) == sorted(set(scheduler.rungs(trial)))
        assert [scheduler.rungs(trial) for trial in range(50)] == [again.rungs(trial) for trial in range(50)]

    def test_the_first_trial_is_not_stopped(self, name: str, mode: str) -> None:
        for saved in (True, False):
            made = SCHEDULERS[name](mode).report(0, 1000, 5.0, pausable=saved)
            assert not any(decision.action is Action.STOP for decision in made)

    def test_what_is_paused_stays_few(self, name: str, mode: str) -> None:
        scheduler = SCHEDULERS[name](mode)
        draws = random.Random(1)
        for trial in range(2000):
            scheduler.report(trial, 5, draws.random(), pausable=True)
            while (surplus := scheduler.next_surplus()) is not None:
                scheduler.release(surplus)
        assert all(rung.paused <= SPARE + rung.entered / 3 + 1 for rung in scheduler.table())


def survivors(losses: list[float], eta: int) -> list[bool]:
    """Who survives a rung where nobody can pause, by sorting, as defined."""
    seen: list[float] = []
    credit, survived = eta - 1, []
    for loss in losses:
        best = loss < min(seen, default=math.inf)
        seen.append(loss)
        credit = min(credit + 1, BURST * eta)
        good = loss <= cutoff_of(seen, eta) and loss != math.inf
        survived.append(good and credit >= (eta * (1 - DEBT) if best else eta))
        credit -= eta * survived[-1]
    return survived


def cutoff_of(values: list[float], eta: int) -> float:
    losses = sorted(values)
    position = (len(losses) - 1) / eta
    low, high = losses[math.floor(position)], losses[math.ceil(position)]
    if low == math.inf or high == math.inf or low == high:
        return low
    return low + (high - low) * ((len(losses) - 1) % eta / eta)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    losses=st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, math.inf]), min_size=1, max_size=80),
    eta=st.integers(2, 5),
    mode=st.sampled_from(["min", "max"]),
)
def test_every_decision_to_stop_equals_the_oracle(losses: list[float], eta: int, mode: str) -> None:
    scheduler = asha(mode=mode, grace_period=1, reduction_factor=eta, max_step=2, variant="stop")
    sign = 1 if mode == "min" else -1
    for trial, survives in enumerate(survivors(losses, eta)):
        loss = losses[trial]
        made = scheduler.diverge(trial) if loss == math.inf else scheduler.report(trial, 1, sign * loss, pausable=True)
        (decision,) = made
        assert decision.cutoff == sign * cutoff_of(losses[: trial + 1], eta)
        assert (decision.action is Action.CONTINUE) == survives


class TestStopping:
    @pytest.mark.parametrize("eta", [2, 3, 4])
    def test_better_and_better_proposals_do_not_all_survive(self, eta: int) -> None:
        scheduler = asha(reduction_factor=eta, variant="stop")
        made = [scheduler.report(trial, 2, -float(trial), pausable=False)[0].action for trial in range(300)]
        assert made.count(Action.CONTINUE) <= 300 / eta + BURST + DEBT
        assert made.count(Action.CONTINUE) >= 300 / eta - 1

    def test_the_best_so_far_survives_after_a_burst(self) -> None:
        scheduler = asha(variant="stop")
        for trial in range(30):
            scheduler.report(trial, 2, 1.0 - trial / 1000 if trial < 3 else 2.0, pausable=False)
        assert scheduler.report(30, 2, 0.5, pausable=False)[0].action is Action.CONTINUE

    def test_who_diverges_later_takes_no_place_from_others(self) -> None:
        scheduler, other = asha(variant="stop"), asha(variant="stop")
        for each in (scheduler, other):
            for trial in range(6):
                each.report(trial, 2, 1.0 - trial / 10, pausable=False)
        for trial in range(2):
            scheduler.diverge(trial)
        late = [each.report(6, 2, 0.5, pausable=False)[0].action for each in (scheduler, other)]
        assert late == [Action.CONTINUE, Action.STOP]

    def test_of_equal_values_one_in_eta_survives(self) -> None:
        scheduler = asha(mode="max", variant="stop")
        made = [scheduler.report(trial, 2, 0.1, pausable=False)[0].action for trial in range(30)]
        assert 9 <= made.count(Action.CONTINUE) <= 10 + BURST

    def test_when_most_diverge_a_finite_trial_survives(self) -> None:
        """Ray's own cutoff becomes NaN or infinite here, which is common when the learning rate is searched."""
        scheduler = asha(variant="stop")
        for trial in range(8):
            scheduler.diverge(trial)
        (decision,) = scheduler.report(8, 2, 1e5, pausable=False)
        assert decision.action is Action.CONTINUE
        assert scheduler.table()[0].diverged == 8


class TestPromotion:
    def enter(self, scheduler: Scheduler, losses: list[float], step: int = 2) -> list[Action]:
        made = [scheduler.report(trial, step, loss, pausable=True) for trial, loss in enumerate(losses)]
        return [decisions[-1].action for decisions in made]

    def test_algorithm_2_by_hand(self) -> None:
        """Of n at a rung, the best floor(n / 3) go on, the best first."""
        scheduler = asha(variant="promote")
        assert self.enter(scheduler, [0.5, 0.4]) == [Action.PAUSE] * 2
        assert scheduler.next_promotion(closing=False) is None
        scheduler.report(2, 2, 0.9, pausable=True)
        assert scheduler.next_promotion(closing=False) == 1
        scheduler.promote(1)
        assert scheduler.next_promotion(closing=False) is None
        for trial, loss in ((3, 0.8), (4, 0.7)):
            scheduler.report(trial, 2, loss, pausable=True)
        (decision,) = scheduler.report(5, 2, 0.1, pausable=True)
        assert decision.action is Action.CONTINUE, "it would be promoted at once"
        assert scheduler.next_promotion(closing=False) is None, "0.5 is the third of six"

    def test_the_highest_rung_is_first(self) -> None:
        scheduler = asha(variant="promote")
        self.enter(scheduler, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
        order = []
        while (trial := scheduler.next_promotion(closing=False)) is not None:
            scheduler.promote(trial)
            order.append(trial)
            scheduler.report(trial, 6, 0.1 * trial, pausable=True)
        assert order == [0, 1, 2, 0], "as soon as three are at rung 6, the best of them"

    @pytest.mark.parametrize("trials", [1, 2, 5, 20, 27])
    def test_however_few_they_are_the_best_trains_to_its_end(self, trials: int) -> None:
        scheduler = asha(variant="promote")
        rungs, best = scheduler.rungs(0), 0
        for trial in range(trials):
            scheduler.report(trial, 2, 1.0 + trial, pausable=True)
        at = dict.fromkeys(range(trials), 0)
        while (trial := scheduler.next_promotion(closing=True)) is not None:
            scheduler.promote(trial)
            at[trial] += 1
            if at[trial] < len(rungs):
                scheduler.report(trial, rungs[at[trial]], 1.0 + trial, pausable=True)
        assert at[best] == len(rungs)
        assert sum(count == len(rungs) for count in at.values()) <= max(1, trials / 3)

    def test_better_and_better_proposals_are_not_all_promoted(self) -> None:
        scheduler, promoted = asha(variant="promote"), 0
        for trial in range(300):
            (decision,) = scheduler.report(trial, 2, -float(trial), pausable=True)
            promoted += decision.action is Action.CONTINUE
            while (paused := scheduler.next_promotion(closing=False)) is not None:
                scheduler.promote(paused)
                promoted += 1
        assert 100 <= promoted <= 100 + DEBT
        assert scheduler.next_promotion(closing=False) is None

    def test_auto_pauses_what_is_saved_and_judges_what_is_not(self) -> None:
        scheduler = asha()
        made = [scheduler.report(t, 2, 0.5 + t, pausable=t % 2 == 0)[0].action for t in range(6)]
        assert made[::2] == [Action.PAUSE] * 3
        assert set(made[1::2]) == {Action.STOP}


class TestPasha:
    def play(self, loss: Callable[[int, int], float], trials: int = 60) -> Pasha:
        """Trials come one after the other; a promoted one goes on before the next begins."""
        scheduler = Pasha(mode="min", grace_period=1, reduction_factor=3, max_step=81)
        for trial in range(trials):
            self.train(scheduler, trial, 0, loss)
            while (promoted := scheduler.next_promotion(closing=False)) is not None:
                scheduler.promote(promoted)
                self.train(scheduler, promoted, self.level[promoted] + 1, loss)
        return scheduler

    def train(self, scheduler: Pasha, trial: int, level: int, loss: Callable[[int, int], float]) -> None:
        """Train a trial up to the rung of a level, and on where it continues at once."""
        for each in range(level, 4):
            self.level[trial] = each
            (decision,) = scheduler.report(trial, 3**each, loss(trial, each), pausable=True)
            if decision.action is Action.PAUSE:
                return

    @pytest.fixture(autouse=True)
    def levels(self) -> None:
        self.level: dict[int, int] = {}

    @staticmethod
    def highest(scheduler: Pasha) -> int:
        return max(rung.rung for rung in scheduler.table() if rung.entered)

    def test_where_the_ranking_is_stable_nobody_trains_beyond_the_second_rung(self) -> None:
        scheduler = self.play(lambda trial, level: (trial * 7 % 60) / (level + 1))
        assert self.highest(scheduler) == 3
        order = []
        while (trial := scheduler.next_promotion(closing=True)) is not None:
            scheduler.promote(trial)
            order.append(trial)
            self.train(scheduler, trial, self.level[trial] + 1, lambda trial, level: (trial * 7 % 60) / (level + 1))
        assert order[0] == 0, "the best, which is trained to its end"
        assert scheduler.table()[-1].entered == 1

    def test_where_trials_change_places_it_trains_on(self) -> None:
        scheduler = self.play(lambda trial, level: float(trial * (7 + level) % 60))
        assert self.highest(scheduler) > 3

    def test_small_changes_of_places_are_noise_once_they_change_back(self) -> None:
        draws = {}

        def noisy(trial: int, level: int) -> float:
            return draws.setdefault((trial, level), trial // 6 + 0.1 * random.Random(f"{trial}/{level}").random())

        def certain(trial: int, level: int) -> float:
            return float(trial // 6 + 10 * random.Random(f"{trial}/{level}").random())

        assert self.play(noisy).table()[-1].entered <= self.play(certain).table()[-1].entered


class TestMedian:
    def test_worse_than_the_median_of_the_averages_by_hand(self) -> None:
        scheduler = Median(mode="min", grace_period=1, max_step=4)
        for trial, losses in enumerate([(1.0, 3.0), (2.0, 4.0), (3.0, 5.0)]):
            for step, loss in enumerate(losses, 1):
                (decision,) = scheduler.report(trial, step, loss, pausable=True)
                assert decision.action is Action.CONTINUE, "too few to compare with, or its best is good enough"
        (decision,) = scheduler.report(4, 1, 2.5, pausable=True)
        assert (decision.action, decision.cutoff) == (Action.STOP, 2.0)
        scheduler.report(5, 1, 0.5, pausable=True)
        (decision,) = scheduler.report(5, 2, 9.0, pausable=True)
        assert (decision.action, decision.cutoff) == (Action.CONTINUE, 3.0), "its best counts, not its last"

    def test_it_decides_some_twenty_times(self) -> None:
        assert len(Median(mode="min", grace_period=2, max_step=10_000).rungs(0)) == 20


class TestTopAfter:
    def test_only_the_top_go_on_and_only_at_the_end(self) -> None:
        scheduler = TopAfter(mode="max", step=2, top=2)
        for trial in range(6):
            (decision,) = scheduler.report(trial, 2, float(trial), pausable=False)
            assert decision.action is Action.PAUSE
        assert scheduler.next_promotion(closing=False) is None
        order = []
        while (trial := scheduler.next_promotion(closing=True)) is not None:
            scheduler.promote(trial)
            order.append(trial)
        assert order == [5, 4]


@pytest.mark.parametrize("max_step", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize("variant", ["stop", "promote", "auto"])
def test_any_length_of_training(max_step: int, variant: Any) -> None:
    grace = default_grace_period(max_step, 3)
    scheduler = asha(grace_period=grace, max_step=max_step, variant=variant)
    assert all(0 < rung < max_step for rung in scheduler.rungs(0))
    for trial in range(30):
        for step in range(1, max_step, max(1, max_step // 7)):
            if any(d.action is not Action.CONTINUE for d in scheduler.report(trial, step, trial % 7, pausable=True)):
                break
    assert sum(rung.entered for rung in scheduler.table()) >= (30 if max_step > 1 else 0)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=50), eta=st.integers(2, 4))
def test_the_cutoff_is_numpys_linear_quantile(values: list[float], eta: int) -> None:
    rung = Rung(1, eta)
    for value in values:
        cutoff = rung.enter(value)
    assert cutoff == pytest.approx(np.quantile(values, 1 / eta), rel=1e-9, abs=1e-9)


def test_a_report_that_passes_several_rungs_enters_each() -> None:
    scheduler = asha(max_step=30, variant="stop")
    assert [decision.rung for decision in scheduler.report(0, 7, 1.0, pausable=False)] == [2, 6]
    assert [decision.rung for decision in scheduler.report(0, 18, 1.0, pausable=False)] == [18]
    assert scheduler.report(0, 29, 1.0, pausable=False) == ()


def test_a_trial_that_pauses_enters_no_later_rung() -> None:
    scheduler = asha(variant="promote")
    scheduler.report(0, 2, 0.0, pausable=True)
    assert [decision.rung for decision in scheduler.report(1, 7, 1.0, pausable=True)] == [2]


def test_brackets_begin_later_and_are_drawn_by_the_trial_number() -> None:
    scheduler = asha(grace_period=1, brackets=3, seed=0)
    assert {scheduler.bracket(trial): scheduler.rungs(trial) for trial in range(200)} == {
        0: (1, 3, 9, 27),
        1: (3, 9, 27),
        2: (9, 27),
    }
    counts = [sum(scheduler.bracket(trial) == b for trial in range(3000)) for b in range(3)]
    assert counts[0] > counts[1] > counts[2] > 0


@pytest.mark.parametrize(("max_step", "eta"), [(2, 3), (3, 3), (4, 2), (30, 3), (100, 3), (100, 4), (1000, 2)])
def test_the_default_grace_is_never_a_single_report_if_there_are_several(max_step: int, eta: int) -> None:
    grace = default_grace_period(max_step, eta)
    assert grace < max_step
    assert grace >= 2 or max_step <= 2
