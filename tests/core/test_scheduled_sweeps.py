"""Every scheduler in a whole sweep: whatever the curves, all trials end, and each step is recorded once."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import events
from orchestrator.core.rows import State
from orchestrator.simulate.virtual_clock import simulate
from tests.core.played import PlayedStep, make

SCHEDULERS: dict[str, dict[str, Any]] = {
    "stop": {"method": "asha", "variant": "stop"},
    "promote": {"method": "asha", "variant": "promote"},
    "brackets": {"method": "asha", "brackets": 2},
    "hyperband": {"method": "hyperband"},
    "pasha": {"method": "pasha"},
    "median": {"method": "median"},
    "top_after": {"method": "top_after", "top": 2},
    "audit": {"method": "auto", "audit": 0.5},
}


@pytest.mark.parametrize("name", SCHEDULERS)
@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    last=st.sampled_from([2, 3, 5, 30, 1000]),
    stride=st.integers(1, 7),
    mode=st.sampled_from(["min", "max"]),
    diverging=st.sampled_from([0.0, 0.3, 1.0]),
    trials=st.integers(1, 15),
    slots=st.integers(1, 6),
    saves=st.booleans(),
    enforced=st.booleans(),
)
def test_whatever_the_curves_it_comes_to_its_end(
    name: str,
    last: int,
    stride: int,
    mode: str,
    diverging: float,
    trials: int,
    slots: int,
    saves: bool,
    enforced: bool,
) -> None:
    def curve(start: events.Start) -> Iterator[PlayedStep]:
        draws = random.Random(start.trial)
        bad = draws.randrange(1, last + 1) if draws.random() < diverging else None
        for step in [*range(stride, last, stride), last]:
            loss = start.config["x"] + 1 / step + draws.gauss(0, 0.2)
            yield 1.0, step, {"loss": math.nan if bad is not None and step >= bad else loss}

    scheduler = {**SCHEDULERS[name], **({"max": last} if enforced else {})}
    sweep = make(trials=trials, steps=last, scheduler=scheduler, objective={"mode": mode})
    outcome = simulate(sweep, curve, slots=slots, saves=saves)
    assert sweep.finished
    assert len(outcome.trials) == trials
    states = Counter(row.state for row in outcome.trials.values())
    assert set(states) <= {State.COMPLETED, State.STOPPED, State.DIVERGED}
    recorded = Counter((row.trial, row.step) for row in outcome.metrics)
    assert set(recorded.values()) == {1}
    if not diverging:
        assert states[State.COMPLETED] >= 1, "somebody trains to the end"
    rungs = sweep.scheduler.table()
    assert not any(rung.paused for rung in rungs)
    assert all(rung.entered <= trials for rung in rungs)
    if saves:
        assert outcome.busy_s == len(outcome.metrics)
    results = [row.objective for row in outcome.trials.values() if row.objective is not None]
    if results:
        assert sweep.best is not None
        assert sweep.best.result == (min if mode == "min" else max)(results)
