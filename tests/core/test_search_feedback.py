"""What the search learns when trials end."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestrator.core import events
from orchestrator.core.rows import Config
from orchestrator.core.search import Observation
from orchestrator.core.search_feedback import SearchFeedback
from orchestrator.simulate.virtual_clock import simulate
from tests.core.played import PlayedStep, make, steady


class Spy:
    """A search that keeps the observations it gets."""

    def __init__(self, values: list[float]) -> None:
        self.values = values
        self.observations: list[Observation] = []
        self.forgotten: list[int] = []

    def ask(self, number: int, accept: Callable[[Config], bool]) -> Config | None:
        return {"x": self.values[number]}

    def resume(self, number: int, config: Config) -> None: ...

    def tell(self, observation: Observation) -> None:
        self.observations.append(observation)

    def forget(self, number: int) -> None:
        self.forgotten.append(number)


class TestSearchFeedback:
    def run(self, **sections: Any) -> Spy:
        sweep = make(trials=6, **sections)
        spy = Spy([0.5, 0.2, 0.3, 0.7, 0.1, 0.9])
        sweep.trial_queue._search = spy
        sweep.search_feedback = SearchFeedback(spy, "min")

        def curve(start: events.Start) -> Iterator[PlayedStep]:
            if start.trial in (0, 3):
                yield 1.0, 1, {"loss": math.inf}
            if start.trial == 4:
                raise ValueError("broken")
            yield from steady(start)

        simulate(sweep, curve, slots=1)
        return spy

    def test_diverged_trials_count_as_the_worst_finite_value_once_there_is_one(self) -> None:
        spy = self.run()
        assert [each.number for each in spy.observations] == [1, 0, 2, 3, 5]
        values = {each.number: each.value for each in spy.observations}
        assert values[0] == values[1] < values[2] == values[3] < values[5]

    def test_failed_trials_are_forgotten(self) -> None:
        assert self.run().forgotten == [4]

    def test_stopped_trials_are_observed_at_their_rung(self) -> None:
        spy = self.run(scheduler={"method": "asha", "grace_period": 3})
        stopped = {each.number: each for each in spy.observations if each.step is not None}
        assert stopped
        for each in stopped.values():
            assert each.value == pytest.approx(each.config["x"] * (1 + 1 / (each.step or 0)))
