"""Conditions that never hold are found, and none that can hold is among them."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.expressions.expression import EvaluationError
from orchestrator.space.never import never_active
from orchestrator.space.space import Space
from orchestrator.spec import parse_spec
from tests.cli.conftest import Ran, sweep

__all__ = ["sweep"]
SPACE: dict[str, Any] = {
    "opt": {"choice": ["sgd", "adam"]},
    "layers": {"int": [1, 8]},
    "x": {"uniform": [0, 1]},
    "lr": {"loguniform": [1e-5, 1e-1]},
    "wide": {"normal": [0, 1]},
}


def space(when: str, **changes: Any) -> Space:
    data = {
        "trainable": "m:t",
        "space": {**SPACE, "it": {"uniform": [0, 1], "when": when}} | changes,
        "fixed": {"epochs": 9, "kind": "small"},
        "objective": {"metric": "loss"},
    }
    return parse_spec(data, base=Path()).parameter_space()


def found(when: str, **changes: Any) -> list[str]:
    return [name for name, _ in never_active(space(when, **changes))]


NEVER = [
    "layers > 8",
    "layers == 9",
    "layers == 2.5",
    "layers in [0, 9]",
    "layers * 2 == 3",
    "opt != 'sgd' and opt != 'adam'",
    "opt == 'sgd' and layers > 8",
    "opt == 'sgd' and opt == 'adam'",
    "x > 1",
    "x < 0 or x >= 2",
    "not x <= 1",
    "lr > 0.5",
    "lr * 10 > x + 2",
    "1 < x < 2",
    "-x > 0",
    "x in [2, 3]",
    "x - lr < -0.2",
    "epochs > 9",
    "kind == 'large'",
    "epochs == 9 and x == 3",
    "False",
]
MAYBE = [
    "layers >= 8",
    "layers == 2",
    "opt == 'sgd'",
    "x >= 1",
    "x <= 0",
    "not x > 0.5",
    "lr > 0.05",
    "wide > 100",
    "lr * 1e308 * 10 * x > 5",
    "x / lr > 1e9",
    "x ** 2 > 4",
    "x > 0.7 and x < 0.3",
    "epochs == 9",
    "kind == 'small'",
    "x not in [2, 3]",
    "True",
]


@pytest.mark.parametrize("when", NEVER)
def test_these_never_hold(when: str) -> None:
    assert found(when) == ["it"]


@pytest.mark.parametrize("when", MAYBE)
def test_of_these_nothing_is_said(when: str) -> None:
    assert found(when) == []


def test_what_depends_on_another_condition() -> None:
    inner = {"choice": [1, 2], "when": "opt == 'sgd'"}
    assert found("inner == 1 and opt == 'adam'", inner=inner) == ["it"]
    assert found("inner == 1", inner=inner) == []
    assert found("inner == 1", inner={"choice": [1, 2], "when": "layers > 8"}) == ["inner"]


NUMBERS = st.sampled_from(
    ["x", "lr", "layers", "epochs", "0", "1", "0.5", "-2", "9", "1e-5", "(x + lr)", "(x * layers)"]
)
COMPARED = st.builds(
    lambda *words: " ".join(words), NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS
)
CONDITIONS = st.recursive(
    COMPARED | st.sampled_from(["opt == 'sgd'", "opt in ['adam']", "layers not in [1, 9]", "x in [0.5, lr]"]),
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=4,
)


@given(CONDITIONS, st.integers(0, 99))
def test_no_random_configuration_has_what_none_is_said_to_have(when: str, seed: int) -> None:
    try:
        made = Space({**space("True").parameters, "it": space(when).parameters["it"]}, (), {"epochs": 9, "kind": "s"})
    except ValueError:
        return
    if not list(never_active(made)):
        return
    rng = random.Random(seed)
    corners = [made.from_unit([rng.choice([0.0, 0.5, 1 - 2**-53]) for _ in made.parameters]) for _ in range(20)]
    try:
        assert not any("it" in config for config in [*corners, *(made.sample(rng) for _ in range(50))])
    except EvaluationError:
        return


def test_the_command_line_says_it(sweep: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(
        "trainable: linear\nobjective: {metric: loss}\nspace:\n  lr: {loguniform: [1e-5, 1e-2]}\n"
        "  init_seed: {int: [0, 3], when: 'lr > 1'}\n"
    )
    ran = sweep("check", "spec.yaml")
    assert ran.code == 0
    assert "warning: no trial has init_seed: 'lr > 1' never holds (lr: a number" in ran.err
