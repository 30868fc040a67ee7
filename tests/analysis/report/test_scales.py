"""What part of the number line is shown."""

from __future__ import annotations

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.report.scales import scale

NUMBERS = st.lists(st.floats(), max_size=60)


@given(NUMBERS, st.sampled_from(["min", "max", "either", None]))
def test_any_numbers_have_a_scale_with_room(values: list[float], mode: str | None) -> None:
    found = scale(values, mode)  # type: ignore[arg-type]
    if found is None:
        assert not [value for value in values if abs(value) <= 1e300]
        return
    assert math.isfinite(found.low)
    assert math.isfinite(found.high)
    assert found.low < found.high
    assert not found.log or found.low > 0


@given(NUMBERS)
def test_the_good_end_is_always_shown(values: list[float]) -> None:
    finite = [value for value in values if abs(value) <= 1e300]
    for mode, best in (("min", min), ("max", max)):
        found = scale(values, mode)  # type: ignore[arg-type]
        if found is not None:
            assert found.low <= best(finite) <= found.high


def test_hopeless_values_are_left_outside_and_counted() -> None:
    rng = random.Random(0)
    values = [0.8 + rng.random() / 20 for _ in range(40)] + [0.1, 0.2]
    found = scale(values, "max")
    assert found is not None
    assert found.low > 0.5
    assert found.beyond == 2
    whole = scale(values)
    assert whole is not None
    assert whole.low < 0.1
    assert whole.beyond == 0


def test_decades_are_drawn_as_decades() -> None:
    found = scale([10.0**-power for power in range(8)])
    assert found is not None
    assert found.log
    narrow = scale([0.30, 0.31, 0.35])
    assert narrow is not None
    assert not narrow.log


def test_one_value_is_in_the_middle() -> None:
    found = scale([2.0])
    assert found is not None
    assert found.low < 2 < found.high
