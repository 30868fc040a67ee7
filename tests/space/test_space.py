"""The space: conditions, constraints, grid cells, and equality of configurations."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from orchestrator.expressions.expression import EvaluationError
from orchestrator.expressions.grammar import ExpressionError
from orchestrator.space.distributions import AnyDistribution
from orchestrator.space.evaluation_order import CycleError
from orchestrator.spec import Space

PARAMETERS = TypeAdapter(dict[str, AnyDistribution])
CHURN = {
    "momentum": {"uniform": [0.5, 0.99], "when": "optimizer == 'sgd'"},
    "nesterov": {"choice": [True, False], "when": "momentum > 0.7"},
    "optimizer": {"choice": ["sgd", "adam"]},
    "layers": {"int": [1, 4]},
    "width": {"logint": [16, 256]},
}


def space(parameters, constraints=(), **fixed) -> Space:
    return Space(PARAMETERS.validate_python(parameters), constraints, fixed)


def test_an_inactive_parameter_is_absent_and_so_is_what_hangs_on_it():
    churn = space(CHURN)
    assert churn.from_unit([0.9, 0.0, 0.9, 0.0, 0.0]) == {"optimizer": "adam", "layers": 1, "width": 16}
    assert list(churn.from_unit([0.0, 0.0, 0.0, 0.0, 0.0])) == ["momentum", "optimizer", "layers", "width"]
    assert list(churn.from_unit([0.9, 0.0, 0.0, 0.0, 0.0])) == list(CHURN)


def test_draws_do_not_shift_when_a_parameter_is_inactive():
    with_adam, with_sgd = space(CHURN), space({**CHURN, "optimizer": {"choice": ["sgd"]}})
    a, b = random.Random(1), random.Random(1)
    for _ in range(20):
        left, right = with_adam.sample(a), with_sgd.sample(b)
        assert (left["layers"], left["width"]) == (right["layers"], right["width"])


def test_draw_asks_in_the_order_of_dependence_and_snaps():
    asked = []

    def suggest(name, distribution):
        asked.append(name)
        return {"optimizer": "sgd", "momentum": 0.6, "layers": 2.0, "width": 300.2}[name]

    assert space(CHURN).draw(suggest) == {"momentum": 0.6, "optimizer": "sgd", "layers": 2, "width": 256}
    assert asked == ["optimizer", "momentum", "layers", "width"]


def test_fixed_values_are_seen_but_not_given():
    fixed = space({"a": {"int": [1, 9], "when": "mode == 'x'"}}, ["a * scale <= 4"], mode="x", scale=2)
    assert fixed.feasible({"a": 2})
    assert not fixed.feasible({"a": 3})
    assert space({"a": {"int": [1, 9], "when": "mode == 'x'"}}, mode="y").from_unit([0.0]) == {}


def test_a_constraint_on_an_inactive_parameter_holds():
    churn = space(CHURN, ["momentum < 0.6"])
    assert churn.feasible({"optimizer": "adam", "layers": 1, "width": 16})
    assert not churn.feasible({"optimizer": "sgd", "momentum": 0.7, "layers": 1, "width": 16})


def test_conditions_in_a_circle_are_refused_and_shown():
    circle = {
        "free": {"int": [0, 1]},
        "late": {"int": [0, 1], "when": "a > 0"},
        "a": {"int": [0, 1], "when": "b > 0"},
        "b": {"int": [0, 1], "when": "a > 0 and free > 0"},
    }
    with pytest.raises(CycleError, match="a → b → a"):
        space(circle)
    with pytest.raises(CycleError, match="a → a"):
        space({"a": {"int": [0, 1], "when": "a > 0"}})


def test_unknown_names_are_refused():
    with pytest.raises(ExpressionError, match="widht"):
        space(CHURN, ["widht > 3"])


def test_an_evaluation_that_fails_is_a_users_error():
    with pytest.raises(EvaluationError, match="width = 16"):
        space(CHURN, ["width / 0 > 1"]).feasible({"width": 16})


def test_cells_collapse_what_is_inactive_and_leave_out_the_infeasible():
    grid = space(
        {
            "optimizer": {"choice": ["sgd", "adam"]},
            "momentum": {"grid": [0.5, 0.9], "when": "optimizer == 'sgd'"},
            "layers": {"int": [1, 2]},
        },
        ["momentum + layers < 2.7"],
    )
    assert list(grid.cells()) == [
        {"optimizer": "sgd", "momentum": 0.5, "layers": 1},
        {"optimizer": "sgd", "momentum": 0.5, "layers": 2},
        {"optimizer": "sgd", "momentum": 0.9, "layers": 1},
        {"optimizer": "adam", "layers": 1},
        {"optimizer": "adam", "layers": 2},
    ]


def test_cells_are_lazy_and_none_if_there_is_no_end():
    huge = space({name: {"int": [0, 10**9]} for name in "abc"})
    assert list(itertools.islice(huge.cells(), 2)) == [{"a": 0, "b": 0, "c": 0}, {"a": 0, "b": 0, "c": 1}]
    assert space(CHURN).cells() is None


def test_a_key_is_shared_by_equal_configurations_only():
    mixed = space({"lr": {"uniform": [0, 2]}, "n": {"int": [0, 2]}, "c": {"choice": [1, True, "1"]}})
    assert mixed.key({"lr": 1, "n": 1, "c": 1}) == mixed.key({"c": 1, "n": 1, "lr": 1.0})
    keys = {mixed.key({"lr": 1.0, "n": 1, "c": c}) for c in (1, True, "1")}
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"optimizer": "adam", "layers": 1, "width": 16}, []),
        ({"optimizer": "sgd", "layers": 1, "width": 16}, [("momentum", "no value for momentum")]),
        (
            {"optimizer": "adam", "momentum": 0.9, "layers": 1, "width": 16},
            [("momentum", "momentum does not apply here")],
        ),
        ({"optimizer": "adma", "layers": 1, "width": 16}, [("optimizer", "'adma' is not in the space")]),
        (
            {"optimizer": "adam", "layer": 1, "width": 999},
            [
                ("layer", "unknown parameter 'layer'"),
                ("layers", "no value for layers"),
                ("width", "999 is not in the space"),
            ],
        ),
        (
            {"optimizer": "adam", "layers": 4, "width": 256},
            [("", "violates the constraint 'layers * width <= 512'")],
        ),
    ],
)
def test_complete_names_all_problems_of_a_configuration(config, expected):
    churn = space(CHURN, ["layers * width <= 512"])
    assert [(name, problem) for name, problem, _ in churn.mistakes_in(config)] == expected


def test_complete_suggests_what_is_allowed():
    problems = space(CHURN).mistakes_in({"optimizer": "adma", "layer": 1, "layers": 9, "width": 16})
    assert [str(allowed) for _, _, allowed in problems] == [
        "did you mean 'layers'? one of: momentum, nesterov, optimizer, layers, width",
        "did you mean 'adam'? one of: sgd, adam",
        "an integer in [1, 4]",
    ]


points = st.lists(st.floats(0, 1, exclude_max=True), min_size=len(CHURN), max_size=len(CHURN))


@settings(derandomize=True, deadline=None)
@given(point=points)
def test_what_a_space_gives_is_complete_and_canonical(point):
    churn = space(CHURN)
    config = churn.from_unit(point)
    assert churn.mistakes_in(config) == []
    assert churn.canonical(config) == config
    assert list(config) == [name for name in CHURN if name in config]


@settings(derandomize=True, deadline=None)
@given(points=st.lists(points, min_size=1, max_size=5))
def test_cells_hold_every_feasible_configuration_once(points):
    parameters = {
        "a": {"int": [1, 3]},
        "b": {"choice": ["x", "y"], "when": "c > 1"},
        "c": {"grid": [1, 2, 3]},
        "d": {"uniform": [0, 1], "step": 0.5, "when": "b == 'x'"},
        "e": {"choice": [True, False]},
    }
    finite = space(parameters, ["a + c < 5"])
    keys = [finite.key(cell) for cell in finite.cells()]
    assert len(set(keys)) == len(keys)
    for config in map(finite.from_unit, points):
        assert (finite.key(config) in keys) == finite.feasible(config)


GUESSED = {
    "lr": {"loguniform": [1e-5, 1e-1], "prior": 3e-4},
    "optimizer": {"choice": ["sgd", "adam", "adamw"], "prior": "adam"},
    "momentum": {"uniform": [0.5, 0.99], "when": "optimizer == 'sgd'"},
    "layers": {"int": [1, 9], "prior": 2},
    "batch": {"choice": [32, 64, 128, 256], "ordered": True, "prior": 64},
    "decay": {"uniform": [0, 1]},
    "noise": {"normal": [0, 1], "prior": 1.5},
}


def test_the_configuration_of_the_guesses_has_the_rest_in_the_middle():
    assert space(GUESSED).prior_config() == {
        "lr": 3e-4, "optimizer": "adam", "layers": 2, "batch": 64, "decay": 0.5, "noise": 1.5
    }  # fmt: skip
    assert space(GUESSED).has_priors
    assert not space(CHURN).has_priors


@settings(derandomize=True, deadline=None)
@given(seed=st.integers(0, 1000), width=st.floats(0.01, 1))
def test_draws_near_the_guesses_are_in_the_space(seed, width):
    guessed = space(GUESSED)
    assert guessed.mistakes_in(guessed.sample_near_prior(random.Random(seed), width)) == []


def test_a_narrow_draw_lies_at_the_guesses_and_a_wide_one_anywhere():
    guessed = space(GUESSED)
    rng = random.Random(0)
    near = [guessed.sample_near_prior(rng, 0.05) for _ in range(500)]
    wide = [guessed.sample_near_prior(rng, 1.0) for _ in range(500)]
    share = {
        name: [sum(holds(config) for config in drawn) / 500 for drawn in (near, wide)]
        for name, holds in {
            "lr": lambda config: 1e-4 < config["lr"] < 1e-3,
            "optimizer": lambda config: config["optimizer"] == "adam",
            "layers": lambda config: config["layers"] in (1, 2, 3),
            "batch": lambda config: config["batch"] == 64,
            "decay": lambda config: 0.4 < config["decay"] < 0.6,
            "noise": lambda config: 1 < config["noise"] < 2.2,
        }.items()
    }
    for name, (close, far) in share.items():
        assert close < 0.3 if name == "decay" else close > 0.85, name
        assert far < 0.5, name
    assert {config["optimizer"] for config in wide} == {"sgd", "adam", "adamw"}


def test_without_guesses_a_draw_near_them_is_a_plain_one():
    assert space(CHURN).sample_near_prior(random.Random(3), 0.1) != space(CHURN).prior_config()
    uniform = [space({"x": {"uniform": [0, 1]}}).sample_near_prior(random.Random(n), 0.1)["x"] for n in range(300)]
    assert abs(sum(uniform) / 300 - 0.5) < 0.05
