"""Which trial leads, whatever happens to trials: always the one that a look at all of them finds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.rows import State
from orchestrator.core.standings import Standings, best_of
from orchestrator.core.trial import Trial
from tests.cli.recorded import spec

CHANGES = st.tuples(st.integers(0, 4), st.sampled_from(State), st.sampled_from([0.1, 0.2, 0.3]))


@pytest.mark.parametrize("at", ["best", "last"])
@pytest.mark.parametrize("mode", ["min", "max"])
@given(changes=st.lists(CHANGES, max_size=40))
def test_the_best_is_that_of_all(mode: str, at: str, changes: list[Any]) -> None:
    objective = spec().objective.model_copy(update={"mode": mode, "at": at})
    trials = [
        Trial(number=number, config={}, complete={}, seed=0, bracket=0, objective=objective) for number in range(5)
    ]
    standings = Standings(trials)
    for number, state, value in changes:
        trial = trials[number]
        if trial.state.ended:
            continue
        trial.state = state
        if not state.ended:
            trial.measure(1, value)
        standings.update(trial)
        assert standings.best is best_of(trials)
        assert standings.settled is best_of(each for each in trials if each.state.settled)
