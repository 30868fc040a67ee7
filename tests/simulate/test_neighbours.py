"""Curves that were not recorded, from those that were: exact where they are known, cautious where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.simulate.neighbours import KnownCurve, NeighbourCurves
from orchestrator.space.choices import Choice
from orchestrator.space.ranges import Uniform
from orchestrator.space.space import Space

SPACE = Space({"x": Uniform(uniform=(0.0, 1.0)), "kind": Choice(choice=("a", "b"))})


def known(trial: int, x: float, steps: int, *, kind: str = "a", **more: object) -> KnownCurve:
    every = np.arange(1, steps + 1)
    return KnownCurve(
        trial=trial,
        config={"x": x, "kind": kind},
        seconds=2.0 * every,
        values=x + 1 / every,
        **more,  # type: ignore[arg-type]
    )


def test_a_recorded_configuration_has_its_own_curve() -> None:
    model = NeighbourCurves(SPACE, [known(n, n / 10, 9) for n in range(8)], "loss")
    curve = model({"x": 0.3, "kind": "a", "fixed": 1})
    assert curve["loss"].tolist() == known(3, 0.3, 9).values.tolist()
    assert curve["elapsed"].tolist() == (2.0 * np.arange(1, 10)).tolist()
    assert (model.exact, model.predicted) == (1, 0)


def test_a_curve_that_was_cut_off_goes_on_as_its_neighbours_did() -> None:
    curves = [known(0, 0.35, 3), *(known(n, n / 10, 9) for n in range(1, 8))]
    curve = NeighbourCurves(SPACE, curves, "loss")({"x": 0.35, "kind": "a"})
    assert curve["loss"] == pytest.approx(0.35 + 1 / np.arange(1, 10))
    assert curve["elapsed"] == pytest.approx(2.0 * np.arange(1, 10))


@given(st.floats(0, 1), st.lists(st.floats(0, 1), min_size=5, max_size=20, unique=True))
def test_a_prediction_is_between_what_was_seen(x: float, seen: list[float]) -> None:
    model = NeighbourCurves(SPACE, [known(n, each, 4) for n, each in enumerate(seen)], "loss")
    values = model({"x": x, "kind": "a"})["loss"]
    recorded = np.array([known(0, each, 4).values for each in seen])
    assert (values >= recorded.min(axis=0) - 1e-9).all()
    assert (values <= recorded.max(axis=0) + 1e-9).all()


def test_near_ones_count_more() -> None:
    model = NeighbourCurves(SPACE, [known(n, n / 10, 4) for n in range(10)], "loss")
    assert model({"x": 0.21, "kind": "a"})["loss"][-1] == pytest.approx(0.46, abs=0.03)


def test_words_are_the_same_or_not() -> None:
    """Of the same kind, a configuration far away is as near as one of the other kind with the same number."""
    a = [known(n, n / 10, 4) for n in range(6)]
    b = [known(10 + n, 0.9 + n / 100, 4, kind="b") for n in range(6)]
    model = NeighbourCurves(SPACE, a + b, "loss")
    assert model({"x": 0.25, "kind": "a"})["loss"][-1] < 0.8
    assert model({"x": 0.25, "kind": "b"})["loss"][-1] > 1.1


def test_where_the_nearest_failed_or_diverged() -> None:
    nothing = np.array([])
    failed = KnownCurve(trial=7, config={"x": 1.0, "kind": "a"}, seconds=nothing, values=nothing, failed="OOM: no")
    curves = [failed, known(8, 0.0, 2, diverged=True), *(known(n, 0.4 + n / 20, 4) for n in range(6))]
    model = NeighbourCurves(SPACE, curves, "loss")
    with pytest.raises(RuntimeError, match="as trial 7: OOM: no"):
        model({"x": 0.97, "kind": "a"})
    assert np.isnan(model({"x": 0.01, "kind": "a"})["loss"]).tolist() == [False, False, True, True]
    assert np.isnan(model({"x": 0.0, "kind": "a"})["loss"]).tolist() == [False, False, True, True]


def test_trust_is_high_where_the_space_explains_and_low_where_it_does_not() -> None:
    rng = np.random.default_rng(0)
    places = rng.random(60)
    explained = NeighbourCurves(SPACE, [known(n, x, 4) for n, x in enumerate(places)], "loss").trust()
    assert explained.curves == 60
    assert explained.rank_correlation is not None
    assert explained.rank_correlation > 0.95
    assert explained.error < 0.02
    noise = [
        KnownCurve(trial=n, config={"x": x, "kind": "a"}, seconds=np.array([1.0]), values=rng.random(1))
        for n, x in enumerate(places)
    ]
    unexplained = NeighbourCurves(SPACE, noise, "loss").trust()
    assert unexplained.rank_correlation is not None
    assert abs(unexplained.rank_correlation) < 0.4
