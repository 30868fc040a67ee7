"""Where trials diverge."""

from __future__ import annotations

from orchestrator.analysis.report.data import Axis, Point, Scale
from orchestrator.analysis.report.divergence import divergence_map
from orchestrator.rows import State

LR = Axis(name="lr", scale=Scale(low=1e-4, high=1, log=True), bounded=True)
WIDTH = Axis(name="width", scale=Scale(low=1, high=64, log=False), bounded=True)
SLOPE = Axis(name="slope", scale=Scale(low=0, high=1, log=False), bounded=True, when="kind == 'a'")
KIND = Axis(name="kind", words=("a", "b"))


def point(number: int, diverged: bool, **cells: float | str) -> Point:
    state = State.DIVERGED if diverged else State.COMPLETED
    return Point(
        trial=number, state=state, value=None, step=1, last_step=1, train_s=1.0, reason="", cells={"kind": "a", **cells}
    )


def test_the_parameter_that_tells_best_comes_first_and_its_threshold_is_named() -> None:
    points = [point(n, n >= 12, lr=0.001 * (n + 1), width=float(n * 7 % 20)) for n in range(20)]
    found = divergence_map([WIDTH, LR, KIND], points)
    assert found is not None
    assert (found.across, found.up) == ("lr", "width")
    assert found.sentence == "8 of 8 diverged trials, and 0 of 12 others, have lr at or above 0.013."


def test_low_values_may_be_the_bad_ones() -> None:
    found = divergence_map([LR], [point(n, n < 5, lr=0.001 * (n + 1)) for n in range(20)])
    assert found is not None
    assert found.up is None
    assert found.sentence == "5 of 5 diverged trials, and 0 of 15 others, have lr at or below 0.005."


def test_what_does_not_divide_is_not_made_to() -> None:
    found = divergence_map([LR], [point(n, n % 2 == 0, lr=0.001 * (n + 1)) for n in range(20)])
    assert found is not None
    assert "No single number" in found.sentence
    whole = divergence_map([LR], [point(n, True, lr=0.001 * (n + 1)) for n in range(20)])
    assert whole is not None
    assert whole.sentence.startswith("20 of 20 trials diverged.")


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
