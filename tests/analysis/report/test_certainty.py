"""What is said of how sure the best is."""

from __future__ import annotations

import dataclasses
import math
import random

import pytest

from orchestrator.analysis.diagnosis.findings.noise import Noise
from orchestrator.analysis.report.certainty import certainty, noise
from orchestrator.analysis.summary.overview import Objective

BEST = Objective(metric="val_auroc", mode="max", at="best")
LAST = dataclasses.replace(BEST, at="last")


def test_noise_about_a_slow_trend_is_measured() -> None:
    rng = random.Random(0)
    curve = [1 / step + rng.gauss(0, 0.01) for step in range(1, 400)]
    measured = noise(curve)
    assert measured == pytest.approx(0.01, rel=0.15)


def test_a_steady_curve_has_no_noise_to_measure() -> None:
    assert noise([2.0**-step for step in range(60)]) is None
    assert noise([1.0, 2.0, 1.0]) is None
    assert noise([math.nan] * 40) is None


def test_trials_within_the_noise_are_counted() -> None:
    rng = random.Random(0)
    curve = [0.8 + rng.gauss(0, 0.01) for _ in range(60)]
    said = certainty([0.83, 0.825, 0.82, 0.7], curve, None, BEST)
    assert said[0] == "The second best trial reached 0.825, a difference of 0.005."
    assert "2 other trials are within twice that of the best, and may be as good" in said[1]
    assert "No configuration was trained twice" in said[2]
    assert "is optimistic" in said[3]
    assert not any("optimistic" in sentence for sentence in certainty([0.83, 0.82], curve, None, LAST))


def test_repeats_are_better_than_a_curve() -> None:
    repeats = Noise(deviation=0.0141, freedom=2, repeated=2, first=(0.83, 2), second=(0.71, 2))
    said = certainty([0.83, 0.82], [0.8, 0.83] * 20, repeats, LAST)
    assert said[1] == (
        "Repeats with other seeds vary by 0.0141 (standard deviation). On average, the best two configurations"
        " differ by 0.12 ± 0.0607, more than chance explains."
    )
    close = dataclasses.replace(repeats, second=(0.80, 2))
    assert "which may be chance" in certainty([0.83, 0.82], [], close, LAST)[1]
    assert len(said) == 2


def test_without_rivals() -> None:
    assert certainty([], [], None, BEST) == ()
    assert certainty([1.0], [], None, BEST) == ("No other trial has a result to compare it with.",)
