"""examples/01_learning_rate.yaml finds what the article it comes from missed, whatever the seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import State
from orchestrator.simulate.virtual_clock import simulate
from orchestrator.spec import read_spec
from orchestrator.spec.load_trainable import declared, load
from trainables.report import Report
from trainables.trial import Trial

EXAMPLE = Path(__file__).parents[2] / "examples" / "01_learning_rate.yaml"


@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_the_optimum_lies_below_the_edge_and_all_above_it_has_diverged(seed: int, start: bool) -> None:
    overrides = [f"search.seed={seed}", *([] if start else ["search.start=[]"])]
    spec = read_spec(EXAMPLE, overrides=overrides, resolve=declared)
    train = load(spec.trained, EXAMPLE.parent)

    def curve(order: events.Start) -> Iterator[tuple[float, int, dict[str, float]]]:
        reports: list[Report] = []
        config = {**spec.fixed, **order.config}
        try:
            train(config, Trial(config=config, seed=order.seed, sink=reports.append))
            raised = None
        except OverflowError as error:
            raised = error
        for report in reports:
            yield 0.001, report.step, report.metrics
        if raised is not None:
            raise raised

    sweep = build_sweep(spec, declared(spec.trained, EXAMPLE.parent))
    outcome = simulate(sweep, curve, slots=2)
    assert len(outcome.trials) == 60
    assert sweep.best is not None
    assert 0.004 <= sweep.best.config["lr"] <= 0.0081
    for row in outcome.trials.values():
        if row.config["lr"] >= 0.0085:
            assert row.state is State.DIVERGED, row
        assert row.state in (State.COMPLETED, State.DIVERGED)
    if start:
        assert [row.config["lr"] for row in list(outcome.trials.values())[:3]] == [0.0001, 0.01, 0.1]
        assert [row.state for row in list(outcome.trials.values())[:3]] == [
            State.COMPLETED,
            State.DIVERGED,
            State.DIVERGED,
        ]
    assert math.isfinite(sweep.best.result or math.nan)
