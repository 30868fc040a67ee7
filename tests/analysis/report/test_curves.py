"""Which reports of which trials are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.report import curves as module
from orchestrator.analysis.report.curves import curves, spread
from orchestrator.analysis.report.data import Curves


def draw(rows: Sequence[tuple[int, int, float]], **options: Any) -> Curves:
    trials, steps, values = (np.array(column) for column in zip(*rows, strict=True))
    given = {"modes": {"loss": "min"}, "chosen": sorted({int(trial) for trial in trials})} | options
    return curves(trials, steps, {"loss": values.astype(float)}, **given)


def test_a_small_sweep_is_drawn_whole() -> None:
    found = draw([(0, 1, 3.0), (1, 1, math.nan), (0, 2, 2.0)])
    assert [(curve.trial, curve.steps, curve.values) for curve in found.curves] == [
        (0, (1, 2), ((3.0, 2.0),)),
        (1, (1,), ((None,),)),
    ]
    assert (found.trials, found.reports, found.drawn) == (2, 3, 3)


def test_a_thinned_curve_keeps_its_ends_its_rungs_and_its_spikes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VALUES", 200)
    steps = range(1, 10_001)
    found = draw([(0, step, {4321: 9.0, 6789: -9.0}.get(step, 0.0)) for step in steps], keep=[5, 555])
    (curve,) = found.curves
    assert len(curve.steps) <= 110
    assert {1, 5, 555, 4321, 6789, 10_000} <= set(curve.steps)
    assert found.reports == 10_000
    assert found.drawn == len(curve.steps)


@given(st.lists(st.floats(allow_nan=True, width=32), min_size=1, max_size=300), st.integers(2, 40))
def test_thinning_keeps_the_extremes(values: list[float], most: int) -> None:
    steps = np.arange(len(values))
    kept = module._thinned(steps, np.array(values), np.array([], dtype=np.int64), most)
    assert list(kept) == sorted(set(kept))
    assert {0, len(values) - 1} <= set(kept.tolist())
    assert len(kept) <= max(most, 4) + 2
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        shown = [values[place] for place in kept]
        assert min(finite) in shown
        assert max(finite) in shown


def test_of_many_trials_the_best_and_an_even_choice_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CURVES", 20)
    order = spread(list(range(100)), 20)
    assert sorted(order) == list(range(100))
    assert order[:10] == list(range(10))
    assert max(order[:20]) > 85
    found = draw([(trial, 1, 1.0) for trial in range(100)], chosen=order)
    assert len(found.curves) == 20
    assert found.trials == 100


def test_diverged_trials_do_not_set_the_scale() -> None:
    found = draw([(0, 1, 1.0), (0, 2, 0.5), (1, 1, 1e30)], wild=[1])
    assert found.scales[0].high < 2


def test_metrics_without_room_are_named() -> None:
    one = np.array([1])
    names = [f"m{number}" for number in range(10)]
    found = curves(one, one, {name: one.astype(float) for name in names}, modes={}, chosen=[1])
    assert found.metrics == tuple(names[:8])
    assert found.other_metrics == ("m8", "m9")


def test_no_reports() -> None:
    none = np.array([], dtype=np.int64)
    found = curves(none, none, {"loss": none.astype(float)}, modes={"loss": "min"}, chosen=[])
    assert found.curves == ()
    assert found.trials == 0
