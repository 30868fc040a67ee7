"""Two trainings are the same if every metric of every step is, to the last digit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.compare.same_curve import Parting, compare_curves, curves_of
from tests.analysis.report.made import made

CURVES = st.dictionaries(
    st.integers(0, 20), st.dictionaries(st.sampled_from(["loss", "acc", "lr"]), st.floats()), max_size=8
)


@given(CURVES)
def test_every_curve_is_the_same_as_itself(curves: dict[int, dict[str, float]]) -> None:
    found = compare_curves(curves, curves, objective="loss", recorded_end="completed", repeated_end="completed")
    assert found.identical
    assert set(found.same) == {name for metrics in curves.values() for name in metrics}


@given(CURVES.filter(lambda curves: any(curves.values())), st.data())
def test_the_last_digit_of_any_value_counts(curves: dict[int, dict[str, float]], data: st.DataObject) -> None:
    places = [(step, name) for step in curves for name in curves[step] if math.isfinite(curves[step][name])]
    if not places:
        return
    step, name = data.draw(st.sampled_from(places))
    now = math.nextafter(curves[step][name], math.inf)
    other = {**curves, step: {**curves[step], name: now}}
    found = compare_curves(curves, other, objective="loss")
    assert found.partings == [Parting(metric=name, step=step, recorded=curves[step][name], repeated=now)]


def test_the_first_to_part_comes_first_and_the_objective_before_others() -> None:
    recorded = {1: {"a": 1.0, "loss": 1.0}, 2: {"a": 2.0, "loss": 2.0, "late": 0.0}}
    repeated = {1: {"a": 1.0, "loss": 1.0}, 2: {"a": 2.5, "loss": 2.5}}
    found = compare_curves(recorded, repeated, objective="loss")
    assert [each.metric for each in found.partings] == ["loss", "a", "late"]
    assert found.partings[2].repeated is None


def test_a_training_that_the_sweep_ended_counts_up_to_its_last_step_only() -> None:
    short, long = {1: {"loss": 1.0}, 3: {"loss": 0.5}}, {1: {"loss": 1.0}, 3: {"loss": 0.5}, 5: {"loss": 0.1}}
    assert compare_curves(short, long, objective="loss", repeated_end="completed").identical
    found = compare_curves(short, long, objective="loss", recorded_end="completed", repeated_end="completed")
    assert [each.step for each in found.partings] == [5]
    assert [each.step for each in compare_curves(long, short, objective="loss").partings] == [5]


def test_another_end_is_a_difference() -> None:
    curves = {1: {"loss": 1.0}}
    found = compare_curves(curves, curves, objective="loss", recorded_end="completed", repeated_end="failed: OSError")
    assert not found.identical
    assert not found.partings


def test_what_is_measured_of_the_machine_and_what_is_ignored_do_not_count() -> None:
    recorded = {1: {"loss": 1.0, "gpu_memory_gb": 1.0, "seconds": 3.0}}
    repeated = {1: {"loss": 1.0, "gpu_memory_gb": 2.0, "seconds": 4.0}}
    assert compare_curves(recorded, repeated, objective="loss", ignored=["seconds"]).same == ["loss"]
    assert not compare_curves(recorded, repeated, objective="loss").identical


def test_the_reports_of_one_trial(tmp_path_factory: pytest.TempPathFactory) -> None:
    paths = made(tmp_path_factory.mktemp("results"), trials=3)
    assert list(curves_of(paths, 1)) == sorted(curves_of(paths, 1))
    assert curves_of(paths, 1) != curves_of(paths, 2)
    assert curves_of(paths, 77) == {}
