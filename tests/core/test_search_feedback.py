"""What the search is told of trials, while a sweep runs and when it is replayed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestrator.core import events
from orchestrator.core.replay import Recorded, replay
from orchestrator.core.rows import Config, State
from orchestrator.core.search import Observation, Outcome
from orchestrator.core.sweep import Sweep
from orchestrator.simulate.virtual_clock import simulate
from tests.core.played import PlayedStep, make, steady

VALUES = [0.5, 0.2, 0.3, 0.7, 0.1, 0.9]


class Spy:
    """A search that keeps what it is told."""

    def __init__(self) -> None:
        self.running: dict[int, Config] = {}
        self.told: list[Observation] = []
        self.forgotten: list[int] = []

    def ask(self, number: int, accept: Callable[[Config], bool]) -> Config | None:
        self.running[number] = {"x": VALUES[number]}
        return self.running[number]

    def resume(self, number: int, config: Config) -> None:
        self.running[number] = config

    def tell(self, observation: Observation) -> None:
        assert observation.number in self.running
        self.told.append(observation)
        if observation.outcome is not Outcome.RUNG:
            del self.running[observation.number]

    def forget(self, number: int) -> None:
        del self.running[number]
        self.forgotten.append(number)


def spied(**sections: Any) -> tuple[Sweep, Spy]:
    sweep, spy = make(trials=len(VALUES), **sections), Spy()
    sweep.trial_queue._search = spy
    sweep.search_feedback._search = spy
    return sweep, spy


def curve(start: events.Start) -> Iterator[PlayedStep]:
    """Trials 0 and 3 diverge at step 2, trial 4 fails at once."""
    if start.trial == 4:
        raise ValueError("broken")
    for duration, step, metrics in steady(start):
        yield duration, step, {"loss": math.inf} if start.trial in (0, 3) and step == 2 else metrics


ASHA = {"method": "asha", "variant": "stop", "grace_period": 3}


class TestSearchFeedback:
    def told(self, **sections: Any) -> list[Observation]:
        sweep, spy = spied(**sections)
        simulate(sweep, curve, slots=1)
        assert spy.forgotten == []
        return spy.told

    def test_every_trial_is_told_once_without_rungs(self) -> None:
        told = self.told()
        assert [(each.number, each.outcome) for each in told] == [
            (0, Outcome.DIVERGED),
            (1, Outcome.COMPLETED),
            (2, Outcome.COMPLETED),
            (3, Outcome.DIVERGED),
            (4, Outcome.FAILED),
            (5, Outcome.COMPLETED),
        ]
        assert [(each.value, each.step, each.train_s) for each in told if each.number in (0, 4)] == [
            (None, 2, 2.0),
            (None, None, 0.0),
        ]
        assert (told[1].step, told[1].train_s) == (27, 27.0)
        assert told[1].value == pytest.approx(0.2 * (1 + 1 / 27))

    def test_rungs_are_told_where_a_trial_goes_on_and_where_it_is_stopped(self) -> None:
        told = [each for each in self.told(scheduler=ASHA) if each.number in (1, 5)]
        assert [(each.number, each.outcome, each.step, each.train_s) for each in told] == [
            (1, Outcome.RUNG, 3, 3.0),
            (1, Outcome.RUNG, 9, 9.0),
            (1, Outcome.COMPLETED, 27, 27.0),
            (5, Outcome.STOPPED, 3, 3.0),
        ]
        for each in told:
            assert each.value == pytest.approx(each.config["x"] * (1 + 1 / (each.step or 0)))

    def test_cancelled_trials_are_forgotten(self) -> None:
        sweep, spy = spied(budget={"hours": 10 / 3600})
        simulate(sweep, steady, slots=2)
        assert [trial.state for trial in sweep.trials] == [State.CANCELLED] * 2
        assert (spy.told, sorted(spy.forgotten)) == ([], [0, 1])

    @pytest.mark.parametrize("slots", [1, 3])
    @pytest.mark.parametrize("variant", ["stop", "promote"])
    def test_a_replay_tells_the_same(self, variant: str, slots: int) -> None:
        scheduler = {**ASHA, "variant": variant}
        sweep, spy = spied(scheduler=scheduler)
        outcome = simulate(sweep, curve, slots=slots)
        again, spy_again = spied(scheduler=scheduler)
        replay(again, Recorded(events=outcome.events, metrics=outcome.metrics), at=1e6)
        assert spy_again.told == spy.told
        assert {Outcome.RUNG, Outcome.STOPPED} < {each.outcome for each in spy.told}

    def test_cancelled_trials_run_again_after_a_replay(self) -> None:
        sweep, _ = spied(budget={"hours": 10 / 3600}, scheduler=ASHA)
        outcome = simulate(sweep, steady, slots=2)
        again, spy = spied(scheduler=ASHA)
        replay(again, Recorded(events=outcome.events, metrics=outcome.metrics), at=1e6)
        assert sorted(spy.running) == [0, 1]
