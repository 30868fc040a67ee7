"""A configuration is completed from the declaration, or the error names every mistake."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainables.configuration import complete
from trainables.declaration import REQUIRED, Hyperparameter

DECLARED = (
    Hyperparameter(name="lr", type=float, default=REQUIRED, low=0.0, meaning=""),
    Hyperparameter(name="layers", type=int, default=2, low=0, high=8, meaning=""),
    Hyperparameter(name="activation", type=str, default="relu", choices=("relu", "tanh"), meaning=""),
)


def test_defaults_are_filled_in() -> None:
    assert complete({"lr": 1}, DECLARED) == {"lr": 1, "layers": 2, "activation": "relu"}


def test_values_become_the_declared_type() -> None:
    completed = complete({"lr": np.float32(0.5), "layers": np.int64(3)}, DECLARED)
    assert completed == {"lr": 0.5, "layers": 3, "activation": "relu"}
    assert [type(value) for value in completed.values()] == [float, int, str]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "lr: required, but not given"),
        ({"lr": 0.1, "layer": 2}, "layer: no such hyperparameter; did you mean layers?"),
        ({"lr": 0.1, "xyz": 2}, "it takes lr, layers, activation"),
        ({"lr": -0.1}, "-0.1 is not between 0.0 and inf"),
        ({"lr": float("nan")}, "nan is not between"),
        ({"lr": "high"}, "'high' is not of type float"),
        ({"lr": 0.1, "layers": 9}, "9 is not between 0 and 8"),
        ({"lr": 0.1, "layers": 2.0}, "2.0 is not of type int"),
        ({"lr": 0.1, "layers": True}, "True is not of type int"),
        ({"lr": 0.1, "activation": "gelu"}, "'gelu' is not one of relu, tanh"),
    ],
)
def test_a_mistake_is_named(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        complete(config, DECLARED)


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(ValueError, match=r"layer: .*\n.*lr: "):
        complete({"layer": 1}, DECLARED)
