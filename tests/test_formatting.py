"""Numbers as people read them."""

from __future__ import annotations

import pytest

from orchestrator.analysis.summary.overview import Objective
from orchestrator.formatting import to_spread


@pytest.mark.parametrize(
    ("value", "spread", "expected"),
    [
        (0.422213, 0.05, "0.422"),
        (0.422213, 0.001, "0.42221"),
        (0.422213, 1e-9, "0.422213"),
        (0.00860046, 0.05, "0.0086"),
        (12345.678, 500.0, "12346"),
        (-0.9512345, 0.01, "-0.9512"),
        (1e-12, 0.1, "1e-12"),
        (0.0, 0.1, "0"),
        (0.422213, 0.0, "0.4222"),
    ],
)
def test_digits_go_to_a_hundredth_of_the_spread(value: float, spread: float, expected: str) -> None:
    assert to_spread(value, spread) == expected


def test_the_spread_is_that_of_the_best_quarter() -> None:
    least = Objective(metric="loss", mode="min", at="best")
    most = Objective(metric="acc", mode="max", at="best")
    values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 9.0]
    assert least.spread_of(values) == pytest.approx(0.2)
    assert most.spread_of(values) == pytest.approx(8.4)
    assert least.spread_of([0.1, 0.15]) == pytest.approx(0.05)
    assert least.spread_of([0.1]) == least.spread_of([]) == 0.0
