"""Where trials diverge."""

from __future__ import annotations

from orchestrator.analysis.report.data import Axis, DivergenceMap, Point, Scale
from orchestrator.analysis.report.divergence import divergence_map
from orchestrator.core.rows import State

LR = Axis(name="lr", scale=Scale(low=1e-4, high=1, log=True), bounded=True)
WIDTH = Axis(name="width", scale=Scale(low=1, high=64, log=False), bounded=True)
SLOPE = Axis(name="slope", scale=Scale(low=0, high=1, log=False), bounded=True, when="kind == 'a'")
KIND = Axis(name="kind", words=("a", "b"))


def point(number: int, diverged: bool, **cells: float | str) -> Point:
    state = State.DIVERGED if diverged else State.COMPLETED
    return Point(
        trial=number,
        state=state,
        value=None,
        step=1,
        last_step=1,
        train_s=1.0,
        reason="",
        verdict="",
        because="",
        cells={"kind": "a", **cells},
    )


def test_the_parameter_that_tells_best_comes_first() -> None:
    points = [point(n, n >= 12, lr=0.001 * (n + 1), width=float(n * 7 % 20)) for n in range(20)]
    found = divergence_map([WIDTH, LR, KIND], points)
    assert found is not None
    assert (found.across, found.up) == ("lr", "width")


def test_low_values_may_be_the_bad_ones() -> None:
    points = [point(n, n < 5, lr=0.001 * (n + 1), width=float(n * 7 % 20)) for n in range(20)]
    assert divergence_map([WIDTH, LR], points) == DivergenceMap(across="lr", up="width")


def test_of_equals_a_logarithmic_one_comes_first() -> None:
    points = [point(n, n < 5, lr=0.001 * (n + 1), width=float(n)) for n in range(20)]
    assert divergence_map([WIDTH, LR], points) == DivergenceMap(across="lr", up="width")
    assert divergence_map([LR], points) == DivergenceMap(across="lr", up=None)


def test_a_parameter_that_few_trials_have_comes_last() -> None:
    points = [point(n, n >= 12, lr=0.001 * (n + 1), width=float(n % 9)) for n in range(20)]
    some = [point(n, n >= 18, lr=0.5, width=1.0, slope=float(n)) for n in (16, 17, 18, 19)]
    found = divergence_map([SLOPE, WIDTH, LR], [*points, *some])
    assert found is not None
    assert found.across != "slope"


def test_few_diverged_trials_are_no_map() -> None:
    assert divergence_map([LR], [point(n, n < 2, lr=0.1) for n in range(20)]) is None
    assert divergence_map([KIND], [point(n, n < 9) for n in range(20)]) is None
    assert divergence_map([], []) is None
