"""How long does a decision of ASHA take, at rungs of 10,000 trials?

Each of 10,000 trials reaches each of ten rungs: 100,000 decisions. The schedulers are called in this process, without a
cluster. Ray Tune's scheduler reads every value of a rung at each decision, so only its first two rungs are timed (the
others cost the same), and the times are compared per decision. All of ours are timed.
"""

from __future__ import annotations

import math
import random
import time
from types import SimpleNamespace
from typing import Any

from benchmarks.measuring import Case, Comparison, Figures, Question, main

TRIALS = 10_000
RUNGS = 10
RAY_RUNGS = 2
ETA = 4


def losses(rung: int) -> list[float]:
    """The trials' values at a rung, the same for both."""
    draw = random.Random(rung)
    return [draw.lognormvariate(0, 1) for _ in range(TRIALS)]


def ours() -> Figures:
    """Time all decisions of `asha`."""
    scheduler = _ours()
    wanted = [losses(rung) for rung in range(RUNGS)]
    began = time.perf_counter()
    for rung, values in enumerate(wanted):
        step = ETA**rung
        for trial, loss in enumerate(values):
            scheduler.report(trial, step, loss, pausable=False)
    seconds = time.perf_counter() - began
    table = scheduler.table()
    assert [(row.rung, row.entered) for row in table] == [(ETA**rung, TRIALS) for rung in range(RUNGS)]
    assert all(row.stopped > 0.7 * TRIALS for row in table)
    _decide_alike()
    return {"us": seconds / (TRIALS * RUNGS) * 1e6, "seconds": seconds}


def ray() -> Figures:
    """Time the first rungs of `_Bracket.on_result`, which ASHAScheduler calls at each report."""
    bracket = _rays()
    trials = [SimpleNamespace(trial_id=f"{number:08x}") for number in range(TRIALS)]
    wanted = [losses(rung) for rung in range(RAY_RUNGS)]
    stopped = 0
    began = time.perf_counter()
    for rung, values in enumerate(wanted):
        step = ETA**rung
        for trial, loss in zip(trials, values, strict=True):
            stopped += bracket.on_result(trial, step, -loss) == "STOP"
    seconds = time.perf_counter() - began
    assert stopped > 0.7 * TRIALS * RAY_RUNGS
    return {"us": seconds / (TRIALS * RAY_RUNGS) * 1e6, "seconds": seconds}


def _ours() -> Any:
    from orchestrator.core.schedulers.asha import Asha

    return Asha(mode="min", grace_period=1, reduction_factor=ETA, max_step=ETA**RUNGS, variant="stop")


def _rays() -> Any:
    from ray.tune.schedulers.async_hyperband import _Bracket

    return _Bracket(1, ETA**RUNGS, ETA, 0)


def _decide_alike(trials: int = 2_000) -> None:
    """The cutoffs are the same. Ray compares a trial with those before it, we with itself among them."""
    scheduler, bracket = _ours(), _rays()
    entered = bracket._rungs[-1][1]  # of the first rung
    before = None
    for number, loss in enumerate(losses(0)[:trials]):
        theirs = bracket.cutoff(entered)
        assert before is None or math.isclose(-theirs, before)
        bracket.on_result(SimpleNamespace(trial_id=str(number)), 1, -loss)
        [decision] = scheduler.report(number, 1, loss, pausable=False)
        before = decision.cutoff
    assert len(entered) == trials


QUESTION = Question(
    name="decisions",
    title="100,000 decisions of ASHA, 10,000 a rung",
    cases={"ray": Case(run=ray), "ours": Case(run=ours)},
    comparisons=[
        Comparison(row="5", what="a decision at a rung of 10,000", figure="us", unit="µs", peer="ray", target=50),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
