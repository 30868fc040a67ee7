"""What ``trial.report`` takes, and what it refuses before it is journalled or sent."""

from __future__ import annotations

import math
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from trainables.report import Report
from trainables.trial import Trial


class Name(StrEnum):
    LOSS = "loss"


def reported(step: Any, **metrics: Any) -> tuple[int, dict[str, float]]:
    trial = Trial(config={})
    trial.report(step=step, **metrics)
    report = trial.history[0]
    assert type(report.step) is int
    assert all(type(name) is str and type(value) is float for name, value in report.metrics.items())
    return report.step, dict(report.metrics)


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        Fraction(1, 2),
        Decimal("0.5"),
        np.float32(0.5),
        np.array(0.5),
        np.array([0.5]),
        np.array([[[0.5]]], dtype=np.float16),
        torch.tensor(0.5, requires_grad=True),
        torch.tensor([[0.5]], requires_grad=True),
        torch.tensor([0.5], dtype=torch.bfloat16),
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'ndim', 0)}-{getattr(value, 'dtype', '')}",
)
def test_one_number_of_any_library_is_a_metric(value: Any) -> None:
    assert reported(1, loss=value) == (1, {"loss": 0.5})


def test_whole_numbers_switches_and_what_is_not_finite_are_metrics() -> None:
    values = reported(1, a=np.bool_(True), b=np.array([7]), c=2**70, d=np.array([math.inf]), e=torch.tensor([math.nan]))
    assert {name: str(value) for name, value in values[1].items()} == {
        "a": "1.0",
        "b": "7.0",
        "c": "1.1805916207174113e+21",
        "d": "inf",
        "e": "nan",
    }


@pytest.mark.parametrize(
    "value",
    [
        None,
        "0.5",
        b"0.5",
        np.str_("0.5"),
        np.array("0.5"),
        np.array(["0.5"]),
        np.ones(3),
        np.array([]),
        np.array([1j]),
        np.datetime64("2026-01-01"),
        torch.tensor([]),
        torch.ones(2, 2),
        [0.5],
        {"a": 1},
        1j,
        pytest.param(object(), id="object"),
    ],
    ids=repr,
)
def test_what_is_not_one_number_is_refused_in_a_sentence(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^report\(loss=(?s:.*): a metric must be one number, not "):
        reported(1, loss=value)


@pytest.mark.parametrize(
    "step", [3, np.int64(3), np.uint8(3), np.array(3), np.array([3]), torch.tensor(3), torch.tensor([[3]])], ids=repr
)
def test_one_integer_of_any_library_is_a_step(step: Any) -> None:
    assert reported(step, loss=1.0)[0] == 3


@pytest.mark.parametrize(
    "step", [True, 3.0, "3", None, np.array([1, 2]), np.array([]), np.array([3.0]), torch.tensor(3.0)], ids=repr
)
def test_what_is_not_one_integer_is_no_step(step: Any) -> None:
    with pytest.raises(TypeError, match=r"^report\(step=…\) takes an integer, not "):
        reported(step, loss=1.0)


def test_a_step_is_what_the_records_can_hold() -> None:
    assert reported(0, loss=1.0)[0] == 0
    assert reported(2**63 - 1, loss=1.0)[0] == 2**63 - 1
    for step in (2**63, 2**63 + 1, np.uint64(2**64 - 1), 10**400):
        with pytest.raises(ValueError, match=r"a step must be below 2\*\*63$"):
            reported(step, loss=1.0)
    for step in (-1, np.int8(-3), -(2**70)):
        with pytest.raises(ValueError, match=r"a step must be at least 0$"):
            reported(step, loss=1.0)


@pytest.mark.parametrize("name", ["val/loss", "Δ", "acc@1", "top-5 acc (%)", "a\0b", "loss\n", "x" * 10_000, "𝓁"])
def test_any_text_names_a_metric(name: str) -> None:
    assert reported(1, **{name: 1.0}) == (1, {name: 1.0})


def test_a_name_is_plain_text_whatever_class_it_has() -> None:
    """A class of the user's may not exist where the driver reads the report."""
    assert reported(1, **{Name.LOSS: 1.0}) == (1, {"loss": 1.0})
    assert reported(1, **{np.str_("loss"): 1.0}) == (1, {"loss": 1.0})


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("\ud800", "is not valid Unicode"),
        ("loss\udcff", "is not valid Unicode"),
        ("", "needs a name"),
        ("train_s", "is a column of the records"),
    ],
)
def test_a_name_that_cannot_be_recorded_is_refused_in_a_sentence(name: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as refused:
        reported(1, loss=1.0, **{name: 1.0})
    str(refused.value).encode()  # it can be printed and recorded


def test_a_refused_report_leaves_no_trace() -> None:
    trial = Trial(config={})
    trial.report(step=1, loss=1.0)
    for step, metrics in ((2**63, {"loss": 1.0}), (2, {"\ud800": 1.0}), (2, {"loss": "?"})):
        with pytest.raises((TypeError, ValueError)):
            trial.report(step=step, **metrics)  # type: ignore[arg-type]
    trial.report(step=2, loss=0.5)
    assert [report.step for report in trial.history] == [1, 2]


def test_reports_of_one_step_are_one() -> None:
    trial = Trial(config={})
    trial.report(step=1, train_loss=1.0, lr=0.1)
    trial.report(step=1, val_loss=2.0, lr=0.1)
    trial.report(step=1, val_loss=2.0)
    trial.report(step=2, train_loss=0.5, odd=math.nan)
    trial.report(step=2, odd=math.nan)
    assert [(each.step, str(each.metrics)) for each in trial.history] == [
        (1, "{'train_loss': 1.0, 'lr': 0.1, 'val_loss': 2.0}"),
        (2, "{'train_loss': 0.5, 'odd': nan}"),
    ]


def test_what_takes_reports_gets_what_is_new() -> None:
    taken: list[Any] = []
    trial = Trial(config={}, sink=lambda report: taken.append((report.step, dict(report.metrics))))
    for metrics in ({"a": 1.0}, {"a": 1.0}, {"a": 1.0, "b": 2.0}, {"c": 3.0}):
        trial.report(step=1, **metrics)
    trial.report(step=2, a=1.0)
    assert taken == [(1, {"a": 1.0}), (1, {"b": 2.0}), (1, {"c": 3.0}), (2, {"a": 1.0})]


def test_reports_that_disagree_and_steps_that_fall_are_refused() -> None:
    trial = Trial(config={})
    trial.report(step=2, loss=1.0)
    with pytest.raises(ValueError, match=r"report\(step=2\): loss was 1 at this step before, and is now 2$"):
        trial.report(step=2, loss=2.0, more=1.0)
    with pytest.raises(ValueError, match=r"report\(step=1\): steps grow, and the last one was 2$"):
        trial.report(step=1, loss=1.0)
    trial.report(step=2, more=1.0)
    assert trial.history[0].metrics == {"loss": 1.0, "more": 1.0}


def test_what_is_added_to_a_report_counts_the_training_up_to_it() -> None:
    """The objective may be in the later one, and a rung at seconds is due then."""
    one = Report(step=3, metrics={"loss": 1.0}, reported_at=100.0, train_s=59.9)
    joined = one.joined(Report(step=3, metrics={"val_loss": 2.0, "loss": 9.0}, reported_at=101.0, train_s=60.5))
    assert joined.metrics == {"loss": 1.0, "val_loss": 2.0}
    assert (joined.step, joined.reported_at, joined.train_s) == (3, 100.0, 60.5)
