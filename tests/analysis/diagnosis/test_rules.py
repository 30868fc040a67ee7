"""The rules on curves of an obvious shape; test_measured.py has real ones."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.analysis.diagnosis.classify import classify
from orchestrator.analysis.diagnosis.curve import FEWEST, POINTS, Curve, build_curve
from orchestrator.analysis.diagnosis.curve_metrics import CurveMetrics
from orchestrator.analysis.diagnosis.curve_shape import CurveShape, running_median
from orchestrator.analysis.diagnosis.reference import Reference, ReferenceTracker
from orchestrator.analysis.diagnosis.verdict import FAULTS, Kind
from tests.analysis.diagnosis.curves import METRICS, REFERENCE, falling, mapped, noisy, of, turning

STRAIGHT = [1.0 - 0.005 * step for step in range(40)]

SHAPES = {
    "healthy": (of(falling(0.1), falling(0.16)), Kind.HEALTHY),
    "plateaued": (of(falling(0.1, pace=12), falling(0.16, pace=12)), Kind.PLATEAUED),
    "still falling": (of(falling(0.05, pace=2), falling(0.1, pace=2)), Kind.STILL_IMPROVING),
    "turned": (of(falling(0.05), turning(0.3, 0.9)), Kind.OVERFITTING),
    "doubled": (of([12.0, *falling(0.05)], [12.0, *turning(0.3, 0.7)]), Kind.OVERFITTING),
    "stayed behind": (of(falling(0.05), falling(0.6)), Kind.OVERFITTING),
    "both bad": (of(falling(0.6), falling(0.6)), Kind.UNDERFITTING),
    "a straight line": (of(STRAIGHT, STRAIGHT), Kind.LR_TOO_LOW),
    "fluctuates": (of(noisy([0.5] * 40, 0.1), noisy([0.5] * 40, 0.1)), Kind.LR_TOO_HIGH),
    "exploded": (of([9.0, *noisy([0.98] * 39, 0.002)], [9.0, *[0.98] * 39]), Kind.LR_TOO_HIGH),
    "not a number": (of([0.9, 0.8, math.nan], [0.9, 0.8, 0.7]), Kind.DIVERGED),
    "absurd": (of([1.0, *[1e9] * 20], [1.0, *[1e9] * 20]), Kind.DIVERGED),
    "two reports": (of([0.9, 0.8], [0.9, 0.8]), Kind.TOO_SHORT),
    "no report": (Curve(), Kind.TOO_SHORT),
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_plain_to_see(name: str) -> None:
    curve, kind = SHAPES[name]
    assert classify(curve, REFERENCE)[0].kind is kind


@pytest.mark.parametrize("name", ["healthy", "plateaued", "still falling", "turned", "fluctuates", "not a number"])
def test_without_others_what_needs_no_others_is_said_just_the_same(name: str) -> None:
    curve, kind = SHAPES[name]
    assert classify(curve)[0].kind is kind


@pytest.mark.parametrize("name", ["stayed behind", "both bad", "a straight line", "exploded"])
def test_without_others_nobody_is_blamed(name: str) -> None:
    assert classify(SHAPES[name][0])[0].kind not in FAULTS


@pytest.mark.parametrize("validation", [turning(0.3, 0.9), [12.0, *turning(0.3, 0.7)]])
@pytest.mark.parametrize("train", [None, 0.2])
def test_a_loss_that_rose_again_is_not_healthy_whatever_the_training_loss_says(
    validation: list[float], train: float | None
) -> None:
    curve = build_curve(METRICS, [(step, train, loss) for step, loss in enumerate(validation, start=1)])
    verdict = classify(curve)[0]
    assert verdict.kind is Kind.WORSENED
    assert verdict.sentence.startswith("val_loss was best at step 1")
    assert verdict.sentence.endswith("% worse")
    assert classify(of(validation))[0].kind is Kind.WORSENED, "the training loss alone"


@pytest.mark.parametrize("end", [2e-6, 4e-6])
def test_next_to_nothing_may_double(end: float) -> None:
    losses = [1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5, *[1e-6] * 20, *[end] * 10]
    assert classify(of(losses, losses))[0].kind not in FAULTS


@pytest.mark.parametrize("name", SHAPES)
def test_a_score_is_judged_as_a_loss_is(name: str) -> None:
    curve, kind = SHAPES[name]
    names = CurveMetrics(train="train_acc", validation="val_acc", train_mode="max", validation_mode="max")
    train = curve.train.values if curve.train is not None else []
    validation = curve.validation.values if curve.validation is not None else []
    turned = build_curve(
        names, [(step, -a, -b) for step, (a, b) in enumerate(zip(train, validation, strict=True), start=1)]
    )
    verdict = classify(turned, REFERENCE)[0]
    assert verdict.kind is kind
    assert verdict.numbers.get("end", -1) < 0  # as the metric has it, not as a loss


@given(factor=st.sampled_from([1e-3, 0.5, 7.0, 1e4]), name=st.sampled_from(sorted(SHAPES)))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_the_unit_of_a_loss_does_not_matter(factor: float, name: str) -> None:
    curve, kind = SHAPES[name]
    assert curve.train is None or curve.validation is not None
    train = mapped(curve.train.values, lambda loss: loss * factor) if curve.train is not None else []
    validation = mapped(curve.validation.values, lambda loss: loss * factor) if curve.validation is not None else []
    reference = Reference(start=factor, train=0.1 * factor, validation=0.15 * factor)
    assert classify(of(train, validation), reference)[0].kind is kind


@given(values=st.lists(st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf]), max_size=60))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_there_is_a_verdict_on_anything(values: list[float]) -> None:
    for reference in (None, REFERENCE):
        for curve in (of(values), of(values, values[::-1])):
            verdicts = classify(curve, reference)
            assert verdicts
            order = list(Kind)
            assert [order.index(each.kind) for each in verdicts] == sorted(order.index(each.kind) for each in verdicts)
            if len(values) < FEWEST and all(map(math.isfinite, values)):
                assert verdicts[0].kind is Kind.TOO_SHORT


def test_a_sentence_has_its_figures() -> None:
    verdict = classify(SHAPES["turned"][0])[0]
    assert verdict.sentence == (
        "val_loss was best at step 11, 0.3414, and ended at 0.8793, 158% worse, while train_loss went from 0.3222 to"
        " 0.05822"
    )
    assert verdict.numbers["turned_at"] == 11
    assert verdict.numbers["gap"] == pytest.approx(0.8793 - 0.0583, abs=1e-3)


def test_a_curve_of_the_training_data_alone_gets_the_rules_that_need_no_more() -> None:
    assert classify(of(falling(0.05)), REFERENCE)[0].kind not in FAULTS
    assert classify(of(noisy([0.5] * 40, 0.1)))[0].kind is Kind.LR_TOO_HIGH
    assert classify(of(falling(0.6)), Reference(start=1.0, train=0.1, validation=None))[0].kind is Kind.UNDERFITTING


def test_a_validation_curve_may_be_sparse() -> None:
    train, validation = falling(0.05), turning(0.3, 0.9)
    sparse = [loss if step % 4 == 3 else None for step, loss in enumerate(validation)]
    curve = build_curve(METRICS, zip(range(1, 41), train, sparse, strict=True))
    assert curve.validation is not None
    assert len(curve.validation.values) == 10
    assert classify(curve)[0].kind is Kind.OVERFITTING


def test_a_long_curve_is_thinned_and_keeps_its_last_point() -> None:
    curve = of(noisy(falling(0.1, steps=10_000), 0.0001), falling(0.16, steps=10_000))
    assert curve.train is not None
    assert POINTS // 2 < len(curve.train.values) <= POINTS + 1
    assert curve.train.steps[0] == 1
    assert curve.train.steps[-1] == 10_000
    assert classify(curve, REFERENCE)[0].kind is Kind.HEALTHY


class TestReached:
    def test_it_starts_where_models_are_untrained_and_ends_at_the_best_validation(self) -> None:
        tracker = ReferenceTracker()
        for start in (0.9, 1.0, 0.95, 1.0, 0.6):
            tracker.add(of(falling(0.2, start=start), falling(0.3, start=start)))
        tracker.add(of(falling(0.0), turning(0.25, 0.9)))  # it overfits, but was the best
        tracker.add(of([500.0, *falling(0.9)], [500.0, *falling(0.9)]))  # it exploded
        reference = tracker.reference
        assert reference is not None
        assert reference.start == 1.0
        assert reference.validation == pytest.approx(0.25, abs=0.05)
        assert reference.train == pytest.approx(math.exp(-5 * 10 / 40), abs=0.05)

    def test_few_trials_say_nothing(self) -> None:
        tracker = ReferenceTracker()
        for _ in range(3):
            tracker.add(of(falling(0.2), falling(0.3)))
        assert tracker.reference is None

    def test_where_nobody_got_anywhere_nothing_was_reached(self) -> None:
        tracker = ReferenceTracker()
        for _ in range(9):
            tracker.add(of([1.0] * 20, [1.0] * 20))
        assert tracker.reference is None


class TestShape:
    def test_the_trend_passes_over_single_spikes(self) -> None:
        assert running_median([5, 4, 99, 3, 2, 1, 1]) == [5, 5, 4, 3, 2, 1, 1]

    def test_the_fluctuation_is_the_noise_whatever_the_trend(self) -> None:
        for losses in ([0.0] * 400, falling(0.1, steps=400), [step / 10 for step in range(400)]):
            shape = CurveShape.of(range(400), noisy(losses, 0.02))
            assert shape.fluctuation == pytest.approx(0.02, rel=0.15)

    def test_a_straight_line_gains_a_third_in_its_last_third(self) -> None:
        shape = CurveShape.of(range(301), [300.0 - step for step in range(301)])
        assert shape.gained_since(shape.at(2 / 3)) == pytest.approx(1 / 3, abs=0.02)
        assert shape.rises == 0
