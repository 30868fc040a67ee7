"""Derived values: computed from a configuration, given to the trainable, recorded, and never searched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import simulate_sweep
from orchestrator.errors import SpecError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.space.values import kind_of
from orchestrator.spec import Spec, parse_spec, read_spec
from orchestrator.spec.recorded_spec import given_values
from orchestrator.spec.writing import spec_yaml
from trainables.declaration import Declaration, Hyperparameter

DATA: dict[str, Any] = {
    "trainable": "a.py:b",
    "objective": {"metric": "loss"},
    "fixed": {"epochs": 9, "optim": {"momentum": 0.9}},
    "space": {
        "optim": {"name": {"choice": ["sgd", "adam"]}, "beta": {"uniform": [0, 1], "when": "optim.name == 'adam'"}},
        "layers": {"int": [1, 3]},
    },
    "derived": {
        "width": "half * 2",
        "half": "2 ** layers",
        "warmup": "0.1 * epochs",
        "optim": {"beta2": "1 - optim.beta", "guarded": "optim.beta if optim.name == 'adam' else 0"},
        "schedule": "'cosine' if half > 2 else 'none'",
        "deep": "layers > 2",
    },
}


def spec_of(**sections: Any) -> Spec:
    return parse_spec(DATA | sections, base=Path())


def mistakes(**sections: Any) -> dict[str, str]:
    with pytest.raises(SpecError) as caught:
        spec_of(**sections)
    return {each.key: f"{each.problem} ({each.allowed})" for each in caught.value.mistakes}


def test_a_trial_is_given_them() -> None:
    space = spec_of().parameter_space()
    assert space.given({"optim.name": "sgd", "layers": 3}) == {
        "epochs": 9,
        "optim.momentum": 0.9,
        "optim.name": "sgd",
        "layers": 3,
        "width": 16,
        "half": 8,
        "warmup": 0.9,
        "optim.guarded": 0,  # and no beta2, for there is no beta
        "schedule": "cosine",
        "deep": True,
    }
    assert space.complete({"optim.name": "adam", "optim.beta": 0.25, "layers": 1})["optim.beta2"] == 0.75


def test_a_spec_without_them_is_as_before() -> None:
    config = {"layers": 1}
    space = parse_spec({key: DATA[key] for key in DATA if key != "derived"}, base=Path()).parameter_space()
    assert space.complete(config) is config


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("layers * 2 - 1", "int"),
        ("layers // 2", "int"),
        ("layers ** 2", "int"),
        ("layers / 1", "float"),
        ("2 ** layers", "int"),
        ("2 ** (0 - layers)", "float"),
        ("2 ** optim.momentum", "float"),
        ("optim.momentum * 2", "float"),
        ("round(0.1 * epochs)", "int"),
        ("round(0.1 * epochs, 1)", "float"),
        ("int(optim.momentum) + ceil(0.5) + floor(1.5)", "int"),
        ("max(1, layers)", "int"),
        ("max(1, optim.momentum)", "float"),
        ("1 if layers > 1 else 0.5", "float"),
        ("sqrt(4)", "float"),
        ("-layers", "int"),
        ("not layers > 1", "bool"),
        ("layers > 1 and epochs > 2", "bool"),
        ("optim.name", "str"),
    ],
)
def test_an_integer_is_one_by_construction(text: str, kind: str) -> None:
    space = spec_of(derived={"x": text}).parameter_space()
    assert space.kinds["x"] == kind
    values = [space.complete({"optim.name": "sgd", "layers": layers})["x"] for layers in (1, 2, 3)]
    assert kind_of(values) == kind


formulas = st.recursive(
    st.sampled_from(["layers", "epochs", "2", "0.5", "optim.momentum", "(layers > 1)"]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "**"]), inner),
        st.builds("({} if {} > 2 else {})".format, inner, inner, inner),
        st.builds("{}({})".format, st.sampled_from(["int", "round", "abs", "floor"]), inner),
        st.builds("max({}, {})".format, inner, inner),
    ),
    max_leaves=6,
)


@given(text=formulas)
def test_every_value_has_the_kind_of_its_column(text: str) -> None:
    try:
        space = spec_of(derived={"x": text}).parameter_space()
    except SpecError:  # it divides by zero, or is too large
        return
    for layers in (1, 2, 3):
        assert kind_of([space.complete({"optim.name": "sgd", "layers": layers})["x"]]) == space.kinds["x"]


@pytest.mark.parametrize(
    ("sections", "key", "words"),
    [
        ({"derived": {"a": "b + 1", "b": "c", "c": "a"}}, "derived.a", "derived values form a cycle: a → b → c → a"),
        ({"derived": {"a": "a + 1"}}, "derived.a", "unknown name 'a'"),
        ({"derived": {"a": "layer + 1"}}, "derived.a", "did you mean 'layers'?"),
        ({"derived": {"layers": "3"}}, "derived.layers", "layers is also in space"),
        ({"derived": {"epochs": "3"}}, "derived.epochs", "epochs is also in fixed"),
        ({"derived": {"optim": "3"}}, "fixed.optim.momentum", "optim is a value in derived, so it cannot contain"),
        ({"derived": {"a": "1 / (layers - 1)"}}, "derived.a", "cannot be evaluated for layers = 1"),
        ({"derived": {"a": "9.0 ** 99 ** 2"}}, "derived.a", "cannot be evaluated"),
        ({"derived": {"a": "2 ** 60"}}, "derived.a", "cannot be recorded exactly"),
        ({"derived": {"a": "1 if layers > 1 else 'x'"}}, "derived.a", "does not always give a value of the same type"),
        ({"derived": {"a": "[layers]"}}, "derived.a", "does not always give a value of the same type"),
        ({"derived": {"a": 3}}, "derived.a", "3 is not text"),
        ({"derived": {"a": "optim.name == 'sdg'"}}, "derived.a", "did you mean 'sgd'?"),
        ({"constraints": ["widht < 9"]}, "constraints[0]", "did you mean 'width'?"),
        ({"constraints": ["width > 99"]}, "constraints[0]", "none of 1000 random configurations meets"),
        ({"fixed": {"epochs": 9, "optim": {"momentum": 0.9}, "w": "2*epochs"}}, "fixed.w", 'as in w: "2*epochs"'),
    ],
)
def test_mistakes(sections: dict[str, Any], key: str, words: str) -> None:
    found = mistakes(**sections)
    assert words in found.get(key, ""), found


def test_a_constraint_may_use_them() -> None:
    space = spec_of(constraints=["width <= 8"]).parameter_space()
    assert [space.feasible({"optim.name": "sgd", "layers": layers}) for layers in (1, 2, 3)] == [True, True, False]


def test_they_need_quotes(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(spec_yaml(spec_of()))
    assert read_spec(tmp_path / "s.yaml") == spec_of()
    (tmp_path / "s.yaml").write_text(spec_yaml(spec_of()).replace('"0.1 * epochs"', "0.1 * epochs"))
    with pytest.raises(SpecError, match=r"an expression without quotes \(write warmup: \"0.1 \* epochs\"\)"):
        read_spec(tmp_path / "s.yaml")


def test_what_the_trainable_declares_holds_for_them() -> None:
    declared = Declaration(
        hyperparameters=tuple(
            Hyperparameter(name=name, type=kind, default=kind(), meaning=name, high=high)
            for name, kind, high in (("layers", int, 9), ("half", int, 9), ("warmup", int, 9), ("width", float, 8))
        )
    )
    data = {
        "trainable": "a.py:b",
        "objective": {"metric": "loss"},
        "space": {"layers": {"int": [1, 3]}},
        "derived": {"half": "layers / 2", "warm": "layers", "width": "2 ** layers"},
    }
    with pytest.raises(SpecError) as caught:
        parse_spec(data, base=Path(), resolve=lambda _reference, _base: declared)
    (unknown,) = caught.value.mistakes
    assert (unknown.key, str(unknown.allowed)[:23]) == ("derived.warm", "did you mean 'warmup'? ")
    data["derived"] = {"half": "layers / 2", "warmup": "layers", "width": "2 ** layers"}
    with pytest.raises(SpecError) as caught:
        parse_spec(data, base=Path(), resolve=lambda _reference, _base: declared)
    found = {each.key: each.problem for each in caught.value.mistakes}
    assert found["derived.half"] == "it gives fractions, half takes an integer"
    data["derived"] = {"warmup": "layers", "width": "2 ** layers * 2"}
    with pytest.raises(SpecError, match=r"derived\.width: 16 is out of range \(width is at most 8\)"):
        parse_spec(data, base=Path(), resolve=lambda _reference, _base: declared)


def test_they_are_recorded_and_come_again(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    def curve(config: dict[str, Any]) -> dict[str, list[float]]:
        seen.append(config)
        losses = [config["layers"] / epoch + config["warmup"] for epoch in range(1, 4)]
        return {"elapsed": [1.0, 2.0, 3.0], "loss": losses}

    data = DATA | {"name": "old", "search": {"method": "random"}, "budget": {"trials": 4}}
    sweep = simulate_sweep(data, curve, results=tmp_path)
    table = pd.read_parquet(tmp_path / "old" / "trials.parquet")
    assert {"config.width", "config.warmup", "config.optim.beta2"} <= set(table)
    assert str(table["config.width"].dtype) == "int64"
    for row, config in zip(table.to_dict("records"), seen, strict=True):
        assert (row["config.width"], row["config.warmup"]) == (config["width"], config["warmup"])
        assert config["optim"].get("beta2") == (
            None if pd.isna(row["config.optim.beta2"]) else row["config.optim.beta2"]
        )
    best = sweep.best
    assert best is not None
    assert best.config in seen
    paths = SweepPaths(tmp_path / "old")
    info = read_sweep_json(paths.info)
    again = given_values(info.spec)({"optim.name": "sgd", "layers": 2})
    assert (again["width"], again["epochs"]) == (8, 9)
