"""Reports in another unit than the length of a training: it is said at once, and only then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestrator.core import events
from orchestrator.core.step_unit import FullTraining
from orchestrator.simulate.virtual_clock import simulate
from tests.core.played import PlayedStep, make, steady

ASHA: dict[str, Any] = {"method": "asha", "variant": "stop"}


def notes(curve: Callable[[events.Start], Iterator[PlayedStep]], **sections: Any) -> list[str]:
    """The notes of a sweep, which come before any trial is cut."""
    rows = simulate(make(**{"trials": 6, "scheduler": ASHA, **sections}), curve, slots=2).events
    at = [row.at for row in rows if row.event == "note"]
    assert not at or max(at) <= min([row.at for row in rows if row.event == "stopped"], default=at[-1])
    return [row.reason or "" for row in rows if row.event == "note"]


def counting(every: int, first: int | None = None, last: int = 1000) -> Callable[[events.Start], Iterator[PlayedStep]]:
    def curve(start: events.Start) -> Iterator[PlayedStep]:
        for step in range(every if first is None else first, last + 1, every):
            yield 1.0, step, {"loss": start.config["x"]}

    return curve


def test_iterations_where_epochs_are_the_length_are_said_at_the_first_report() -> None:
    assert notes(counting(100), steps=10) == [
        "trial 0 reports step 100, but a full training has 10 steps (epochs): let step count epochs, or set"
        " scheduler.max to the last step, 1000 if step 100 ends the first of 10 epochs"
    ]


def test_iterations_that_pass_the_length_later_are_said_then() -> None:
    assert notes(counting(60, last=600), steps=100) == [
        "trial 0 reports step 120, but a full training has 100 steps (epochs): let step count epochs, or set"
        " scheduler.max to the last step"
    ]


def test_the_unit_of_scheduler_max() -> None:
    assert notes(counting(100), steps=10, scheduler=ASHA | {"max": 50}) == [
        "trial 0 reports step 100, but a full training has 50 steps (scheduler.max): let step count in the same unit,"
        " or set scheduler.max to the last step"
    ]


def test_epochs_where_iterations_are_the_length_are_said_when_the_first_trial_has_ended() -> None:
    assert notes(counting(1, last=8), steps=10_000) == [
        "trial 0 ended by itself at step 8, but a full training has 10,000 steps (epochs): let step count epochs, or"
        " set scheduler.max to 8"
    ]


def test_a_trial_has_the_length_that_its_own_configuration_says() -> None:
    full = FullTraining(steps=1000, length="epochs")
    assert [full.of(config) for config in ({"epochs": 5}, {"epochs": 7.9}, {}, {"epochs": None})] == [5, 7, 1000, 1000]


@pytest.mark.parametrize(
    ("curve", "steps"),
    [
        (steady, 27),
        (counting(1, first=0, last=27), 28),  # from 0
        (counting(1, first=0, last=28), 27),  # one more, as after a test at the end
        (counting(27, last=27), 27),  # one report at the end
        (counting(5, last=27), 27),  # rarely
        (counting(1, last=27), 200),  # stopped by itself
    ],
)
def test_what_fits_is_not_spoken_of(curve: Callable[[events.Start], Iterator[PlayedStep]], steps: int) -> None:
    assert notes(curve, steps=steps) == []


def test_without_rungs_no_unit_matters() -> None:
    assert notes(counting(100), steps=10, scheduler={"method": "none", "variant": None}) == []
