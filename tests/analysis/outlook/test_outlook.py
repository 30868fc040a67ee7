"""What further trials would bring, against sequences of results of which the rest is known."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.analysis.outlook.outlook import FEWEST, outlooks

Draw = Callable[[np.random.Generator, np.ndarray], np.ndarray]

LENGTH = 200


def bell(_: np.random.Generator, ranks: np.ndarray) -> np.ndarray:
    """Results around a mean: errors that many hyperparameters add to."""
    from scipy.special import ndtri

    return ndtri(ranks)


def valley(_: np.random.Generator, ranks: np.ndarray) -> np.ndarray:
    """Results near the floor of a quadratic valley of five parameters."""
    return ranks ** (2 / 5)


def skewed(_: np.random.Generator, ranks: np.ndarray) -> np.ndarray:
    """A few results much better than the others."""
    return np.log(ranks)


def sequences(draw: Draw, pace: float, count: int) -> np.ndarray:
    """Results of which the i-th is the best of a_i draws, with a_1 + … + a_i = i ** pace: shape (count, LENGTH)."""
    rng = np.random.default_rng(7)
    trial = np.arange(1, LENGTH + 1)
    draws = trial**pace - (trial - 1.0) ** pace
    ranks = 1 - rng.random((count, LENGTH)) ** (1 / draws)
    return draw(rng, ranks.clip(1e-300))


def judged(results: np.ndarray, seen: int, more: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each sequence: the chance of a better result, whether there is one, and whether its gain lies between low and
    high (NaN without one)."""
    chances, better, inside = [], [], []
    for row in results:
        (found,) = outlooks(row[:seen], [more])
        gain = row[:seen].min() - row[seen : seen + more].min()
        chances.append(found.chance)
        better.append(gain > 0)
        inside.append(found.low <= gain <= found.high if gain > 0 else np.nan)
    return np.array(chances), np.array(better), np.array(inside)


@pytest.mark.parametrize(("draw", "least"), [(bell, 0.65), (valley, 0.7), (skewed, 0.6)])
@pytest.mark.parametrize(("seen", "more"), [(30, 10), (60, 40), (100, 100)])
def test_chances_and_intervals_hold_in_a_search_that_does_not_learn(
    draw: Draw, least: float, seen: int, more: int
) -> None:
    chances, better, inside = judged(sequences(draw, 1.0, 300), seen, more)
    assert better.mean() == pytest.approx(more / (seen + more), abs=0.08), "as records of independent draws come"
    assert chances.mean() == pytest.approx(better.mean(), abs=0.1)
    assert least <= np.nanmean(inside) <= 0.92, "8 in 10 are meant to; fewer where results have no floor"


@pytest.mark.parametrize("pace", [0.5, 2.0, 3.0])
def test_chances_hold_where_proposals_improve_or_fall_behind(pace: float) -> None:
    chances, better, _ = judged(sequences(bell, pace, 300), 80, 40)
    by_draws_alone = 40 / 120
    assert abs(chances.mean() - better.mean()) < 0.7 * abs(by_draws_alone - better.mean())


def test_a_chance_is_as_often_right_as_it_says() -> None:
    found = [judged(sequences(bell, pace, 150), seen, 40) for pace in (0.5, 1.0, 2.0) for seen in (20, 60, 150)]
    chances, better = (np.concatenate([each[part] for each in found]) for part in (0, 1))
    for low in np.arange(0, 1, 0.2):
        said = (chances >= low) & (chances < low + 0.2)
        if said.sum() >= 50:
            assert better[said].mean() == pytest.approx(chances[said].mean(), abs=0.15)


def some(seed: int, count: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=count)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 99), factor=st.floats(1e-6, 1e6), shift=st.floats(-10, 10))
def test_chances_do_not_depend_on_the_units_and_gains_have_them(seed: int, factor: float, shift: float) -> None:
    losses = some(seed)
    for one, two in zip(outlooks(losses), outlooks((losses + shift) * factor), strict=True):
        assert two.chance == pytest.approx(one.chance)
        for name in ("low", "gain", "high"):
            assert getattr(two, name) == pytest.approx(getattr(one, name) * factor, rel=1e-3)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([0.1, 0.2, 0.25, 1.0, np.inf]) | st.floats(-1e3, 1e3), min_size=FEWEST, max_size=80))
def test_more_trials_bring_more(losses: list[float]) -> None:
    found = outlooks(np.array(losses))
    chances = [each.chance for each in found]
    assert chances == sorted(chances)
    for each in found:
        assert 0 < each.chance < 1
        assert 0 <= each.low <= each.gain <= each.high < np.inf


def test_few_results_and_equal_ones_say_nothing() -> None:
    assert not outlooks(np.array([]))
    assert not outlooks(np.append(some(0, FEWEST - 1), np.inf))
    assert outlooks(some(0, FEWEST))
    assert not outlooks(np.full(50, 0.5))


def test_a_best_result_that_has_stood_for_long_is_harder_to_beat() -> None:
    early, late = some(3), some(3)
    early[[2, early.argmin()]] = early[[early.argmin(), 2]]
    late[[55, late.argmin()]] = late[[late.argmin(), 55]]
    assert outlooks(early, [40])[0].chance < outlooks(late, [40])[0].chance


def test_gains_are_judged_by_full_trainings() -> None:
    """What was stopped early is far behind, and says nothing of how close together good results are."""
    full, early = 1 + some(4, 8) / 1000, 2 + np.abs(some(5, 112))
    losses, in_full = np.append(early, full), np.arange(120) >= 112
    farther = np.append(10 * early, full)
    assert outlooks(losses, [40], in_full) == outlooks(farther, [40], in_full)
    assert outlooks(losses, [40]) != outlooks(farther, [40])


def test_ten_thousand_trials_take_no_time() -> None:
    losses: Any = some(0, 10_000)
    outlooks(losses)
    began = time.process_time()
    outlooks(losses)
    assert time.process_time() - began < 0.1
