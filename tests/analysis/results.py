"""Sweeps made up as evidence: configurations drawn from a space, and results by a function of them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from orchestrator.analysis.summary.overview import Objective
from orchestrator.analysis.summary.results import SweepResults, TrialResult
from orchestrator.core.rows import Config, State
from orchestrator.spec import parse_spec

Result = Callable[[Config, random.Random], float]


def results(
    space: Mapping[str, Any],
    result: Result,
    *,
    trials: int = 60,
    mode: Literal["min", "max"] = "min",
    method: str = "random",
    seed: int = 0,
) -> SweepResults:
    """A sweep in which every trial came to its end at step 9, or diverged where its result is not finite."""
    spec = parse_spec(
        {"trainable": "mine:train", "space": space, "objective": {"metric": "loss", "mode": mode}}, base=Path()
    )
    rng, drawn = random.Random(seed), spec.parameter_space()
    found = []
    for number in range(trials):
        config = drawn.sample(rng)
        value = result(config, rng)
        well = math.isfinite(value)
        found.append(
            TrialResult(
                trial=number,
                state=State.COMPLETED if well else State.DIVERGED,
                config=config,
                value=value if well else None,
                last_step=9,
            )
        )
    objective = Objective(metric="loss", mode=mode, at="best")
    return SweepResults(objective=objective, method=method, space=spec.distributions(), trials=found)
