from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.command.steps import Steps
from trainables.trial import Trial

NAN = math.nan


def steps_of(*records: Mapping[str, float], key: str = "", after: int = 0) -> list[tuple[int, Mapping[str, float]]]:
    steps = Steps(objective="loss", key=key, after=after)
    found = [step for record in records for step in steps.take(record)]
    return [(step.step, step.metrics) for step in [*found, *steps.end()]]


@pytest.mark.parametrize("key", ["step", "epoch", "iteration", "global_step"])
def test_a_number_counts_the_steps(key: str) -> None:
    assert steps_of({key: 3, "loss": 1}, {key: 4.0, "loss": 2}) == [(3, {"loss": 1}), (4, {"loss": 2})]


def test_step_comes_before_epoch_and_the_user_before_both() -> None:
    assert steps_of({"epoch": 1, "step": 100, "loss": 1}) == [(100, {"epoch": 1, "loss": 1})]
    assert steps_of({"epoch": 1, "step": 100, "loss": 1}, key="epoch") == [(1, {"loss": 1})]  # the records have a step


def test_a_fraction_of_an_epoch_is_no_step() -> None:
    assert steps_of({"epoch": 0.5, "global_step": 10, "loss": 1}) == [(10, {"epoch": 0.5, "loss": 1})]


def test_a_record_without_a_step_belongs_to_the_one_before() -> None:
    records = {"step": 1, "train": 1}, {"loss": 2}, {"step": 2, "loss": 3}
    assert steps_of(*records) == [(1, {"train": 1}), (1, {"loss": 2}), (2, {"loss": 3})]


def test_what_comes_before_the_first_step_belongs_to_it() -> None:
    assert steps_of({"parameters": 9}, {"epoch": 0, "loss": 3}) == [(0, {"parameters": 9, "loss": 3})]


def test_a_step_may_come_alone() -> None:
    assert steps_of({"epoch": 1}, {"loss": 2}, {"epoch": 2}, {"loss": 1}) == [(1, {"loss": 2}), (2, {"loss": 1})]


def test_without_a_number_each_objective_is_a_step() -> None:
    records = {"train": 1}, {"loss": 2}, {"train": 3}, {"loss": 4}, {"test": 5}
    assert steps_of(*records) == [(1, {"train": 1, "loss": 2}), (2, {"train": 3, "loss": 4}), (2, {"test": 5})]
    assert steps_of({"loss": 1}, after=7) == [(8, {"loss": 1})]


@pytest.mark.parametrize("odd", [2.5, -1, NAN, math.inf, 2**63, 1])
def test_a_step_that_cannot_be_recorded_is_left_out_and_said(odd: float) -> None:
    steps = Steps(objective="loss")
    found = [each for step in (2, odd, odd, 3) for each in steps.take({"step": step, "loss": 1})]
    assert [each.step for each in found] == [2, 3]
    assert len(steps.remarks) == 1


def test_of_two_values_for_a_step_the_first_counts_and_it_is_said() -> None:
    steps = Steps(objective="loss")
    records = (
        {"step": 1, "loss": 1},
        {"step": 1, "loss": 2, "more": 3},
        {"step": 1, "more": 3, "nan": NAN},
        {"nan": NAN},
    )
    found = [dict(each.metrics) for record in records for each in steps.take(record)]
    assert [list(each) for each in found] == [["loss"], ["more"], ["nan"]]
    assert steps.remarks == ["loss came twice for step 1; the first counts"]


def test_a_name_that_the_records_have_is_left_out_and_said() -> None:
    steps = Steps(objective="loss")
    assert [each.metrics for each in steps.take({"step": 1, "trial": 3, "": 1, "self": 2, "loss": 1})] == [
        {"self": 2, "loss": 1}
    ]
    assert len(steps.remarks) == 2


NUMBERS = st.one_of(st.integers(), st.floats())
RECORDS = st.lists(st.dictionaries(st.sampled_from(["step", "epoch", "loss", "self", "trial", "a"]), NUMBERS))


@given(RECORDS, st.sampled_from(["", "epoch"]))
def test_whatever_a_program_says_can_be_reported(records: list[dict[str, float]], key: str) -> None:
    trial = Trial(config={})
    for step, metrics in steps_of(*records, key=key):
        trial.report(step=step, **metrics)
