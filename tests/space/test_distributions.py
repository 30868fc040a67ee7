"""The contract of all distributions, and their mapping from the unit interval to values."""

import math
import random
from statistics import fmean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from orchestrator.space.distributions import FORMS, AnyDistribution
from orchestrator.spec import Distribution, Numeric

ADAPTER = TypeAdapter(AnyDistribution)


def made(form) -> Distribution:
    return ADAPTER.validate_python(form)


ALL = [
    {"uniform": [0, 1]},
    {"uniform": [0.0, 0.6], "step": 0.1},
    {"uniform": [-1, 1], "step": 0.3},
    {"loguniform": [1e-4, 1e-1]},
    {"loguniform": [1e-4, 1e-1], "step": 1e-3},
    {"int": [-3, 4]},
    {"int": [1, 10], "step": 4},
    {"logint": [1, 256]},
    {"logint": [10, 200], "step": 16},
    {"normal": [0, 2]},
    {"normal": [0, 2], "step": 0.25},
    {"lognormal": [-7, 2]},
    {"lognormal": [-1, 1], "step": 0.1},
    {"choice": [32, 64, 128], "ordered": True},
    {"choice": [1, 0.5]},
    {"choice": ["relu", "gelu"]},
    {"choice": [True, False]},
    {"choice": ["a", "b", "c"], "weights": [5, 1, 0.5]},
    {"choice": [1, 2, 3], "weights": [1, 2, 1], "ordered": True},
    {"choice": [1, True, "a", None, [1, 2]]},
    {"grid": [3, 1, 2]},
]
TYPES = {"int": int, "float": float, "bool": bool, "str": str, "json": object}
units = st.floats(min_value=0, max_value=1, exclude_max=True)


@pytest.mark.parametrize("form", ALL, ids=str)
class TestContract:
    @settings(derandomize=True, deadline=None, max_examples=50)
    @given(u=units)
    def test_what_it_gives_it_contains_in_the_columns_type(self, form, u):
        distribution = made(form)
        value = distribution.from_unit(u)
        assert distribution.contains(value)
        assert distribution.snap(value) == value
        if distribution.kind != "json":
            assert type(value) is TYPES[distribution.kind]
        if distribution.extent is not None:
            assert distribution.extent[0] <= value <= distribution.extent[1]

    @settings(derandomize=True, deadline=None, max_examples=50)
    @given(a=units, b=units)
    def test_numbers_grow_with_the_coordinate(self, form, a, b):
        distribution = made(form)
        if not hasattr(distribution, "options"):
            low, high = sorted((a, b))
            assert distribution.from_unit(low) <= distribution.from_unit(high)

    @settings(derandomize=True, deadline=None, max_examples=50)
    @given(u=units)
    def test_a_value_lies_where_it_comes_from(self, form, u):
        distribution = made(form)
        value = distribution.from_unit(u)
        place = distribution.to_unit(value)
        assert 0 <= place <= 1
        again = distribution.from_unit(min(place, 1 - 2**-53))
        assert again == (pytest.approx(value, rel=1e-6, abs=1e-12) if isinstance(value, float) else value)

    def test_its_values_are_distinct_contained_and_all_reached(self, form):
        distribution = made(form)
        values = distribution.values()
        if values is None:
            return
        assert all(distribution.contains(value) for value in values)
        assert len({repr(value) for value in values}) == len(values)
        reached = {repr(distribution.from_unit(i / 20_000)) for i in range(20_000)}
        assert reached == {repr(value) for value in values}

    def test_the_form_is_the_model(self, form):
        distribution = made(form)
        plain = distribution.model_dump(mode="json", by_alias=True, exclude_none=True)
        assert form.items() <= plain.items()
        assert made(plain) == distribution

    def test_strangers_are_not_contained(self, form):
        distribution = made(form)
        for value in ("stranger", math.nan, math.inf, {"a": 1}, object(), -(10**300)):
            assert not distribution.contains(value) or distribution.form == "normal"
        assert distribution.allowed("stranger")


def test_every_form_is_covered():
    assert {next(iter(form)) for form in ALL} == set(FORMS)


def test_steps_are_the_decimals_that_are_written():
    assert list(made({"uniform": [0.0, 0.6], "step": 0.1}).values()) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert list(made({"int": [1, 10], "step": 4}).values()) == [1, 5, 9]
    assert list(made({"logint": [10, 100], "step": 32}).values()) == [32, 64, 96]
    assert made({"loguniform": [0.5, 9], "step": 2}).values()[-1] == 8.0


def test_a_billion_values_cost_nothing():
    values = made({"int": [0, 10**9]}).values()
    assert len(values) == 10**9 + 1
    assert values[-1] == 10**9
    assert list(values[:2]) == [0, 1]


def test_a_float_off_by_rounding_is_on_its_step():
    distribution = made({"uniform": [0.0, 0.6], "step": 0.1})
    assert distribution.contains(0.1 + 0.2)
    assert distribution.snap(0.1 + 0.2) == 0.3
    assert not distribution.contains(0.25)


def test_ints_and_floats_and_bools_are_told_apart():
    assert made({"uniform": [0, 2]}).contains(1)
    assert not made({"int": [0, 2]}).contains(1.0)
    assert not made({"int": [0, 2]}).contains(True)
    assert not made({"choice": [0, 1]}).contains(True)
    assert made({"choice": [1, 0.5]}).contains(1)
    assert made({"choice": [1, 0.5]}).snap(1) == 1.0
    assert made({"choice": [[1, 2], [3]]}).contains([1, 2])


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ({"choice": [1, 2]}, "int"),
        ({"choice": [1, 2.5]}, "float"),
        ({"choice": ["a"]}, "str"),
        ({"choice": [True]}, "bool"),
        ({"choice": [1, True]}, "json"),
        ({"choice": [1, "a"]}, "json"),
        ({"choice": [[1], [2]]}, "json"),
        ({"choice": [None]}, "json"),
        ({"int": [1, 2]}, "int"),
        ({"normal": [1, 2]}, "float"),
    ],
)
def test_the_column_has_a_type_that_holds_all_values(form, kind):
    assert made(form).kind == kind


def test_numeric_tells_other_libraries_what_they_need():
    assert made({"logint": [16, 256]}).numeric == Numeric(low=16, high=256, log=True, step=None, integer=True)
    assert made({"uniform": [0, 1], "step": 0.5}).numeric == Numeric(
        low=0.0, high=1.0, log=False, step=0.5, integer=False
    )
    assert made({"choice": [1, 2]}).numeric is None
    assert made({"normal": [0, 1]}).numeric is None


def test_each_draws_from_its_own_distribution():
    rng = random.Random(0)

    def draws(form):
        return [made(form).from_unit(rng.random()) for _ in range(4000)]

    assert fmean(draws({"uniform": [0, 1]})) == pytest.approx(0.5, abs=0.03)
    assert fmean(map(math.log10, draws({"loguniform": [1e-4, 1]}))) == pytest.approx(-2, abs=0.1)
    assert draws({"int": [1, 4]}).count(4) == pytest.approx(1000, abs=120)
    assert draws({"logint": [1, 100]}).count(1) == pytest.approx(4000 * math.log(3) / math.log(201), abs=120)
    normal = draws({"normal": [3, 2]})
    assert (fmean(normal), stdev(normal)) == (pytest.approx(3, abs=0.15), pytest.approx(2, abs=0.1))
    assert fmean(map(math.log, draws({"lognormal": [-7, 2]}))) == pytest.approx(-7, abs=0.15)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"unifrm": [0, 1]}, "unknown distribution 'unifrm'"),
        ({}, "no distribution"),
        ({"when": "a"}, "no distribution"),
        ({"uniform": [0, 1], "int": [0, 1]}, "uniform and int are 2 distributions"),
        (0.1, "0.1 is not a distribution"),
        (None, "None is not a distribution"),
        ([1, 2], "a list is not a distribution"),
        ({"uniform": [1, 0]}, r"\[1, 0\] is not a range"),
        ({"uniform": [1, 1]}, "is not a range"),
        ({"loguniform": [0, 1]}, "no logarithm"),
        ({"logint": [0, 8]}, "no logarithm"),
        ({"normal": [0, 0]}, "standard deviation 0 is out of range"),
        ({"lognormal": [900, 1]}, "exceeds the range"),
        ({"uniform": [0, 1], "step": 1e-12}, "too small"),
        ({"loguniform": [0.5, 0.9], "step": 1}, "no multiple"),
        ({"choice": [64, 64]}, "64 is listed twice"),
        ({"choice": [1, 1.0]}, "twice"),
        ({"choice": [math.nan]}, "nan cannot be recorded"),
        ({"choice": [2**60]}, "cannot be recorded"),
        ({"choice": [object()]}, "cannot be recorded"),
    ],
)
def test_mistakes_are_in_our_words(form, words):
    with pytest.raises(ValidationError, match=words):
        made(form)


@pytest.mark.parametrize(
    "form",
    [
        {"uniform": ["0", 1]},
        {"uniform": [True, 1]},
        {"uniform": [0, math.inf]},
        {"uniform": [-1.7e308, 1.7e308]},
        {"uniform": [0]},
        {"uniform": [0, 1, 2]},
        {"uniform": 3},
        {"int": [0, 1.5]},
        {"int": [0, 2**60]},
        {"int": [0, 4], "step": 0},
        {"choice": []},
        {"choice": "ab"},
        {"grid": [1], "ordered": True},
        {"choice": [1], "step": 1},
        {"uniform": [0, 1], "when": ""},
    ],
    ids=str,
)
def test_types_are_not_guessed(form):
    with pytest.raises(ValidationError):
        made(form)


def test_frozen():
    with pytest.raises(ValidationError):
        made({"uniform": [0, 1]}).when = "a"


def test_weights_are_the_shares_of_random_draws() -> None:
    choice, rng = made({"choice": ["a", "b", "c"], "weights": [6, 3, 1]}), random.Random(0)
    drawn = [choice.from_unit(rng.random()) for _ in range(2000)]
    assert [drawn.count(each) / 2000 for each in "abc"] == pytest.approx([0.6, 0.3, 0.1], abs=0.03)
    assert [choice.to_unit(each) for each in "abc"] == pytest.approx([0.3, 0.75, 0.95])


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"choice": ["a", "b"], "weights": [1]}, "1 weight for 2 values"),
        ({"choice": ["a", "b"], "weights": [1, 0]}, "greater than 0"),
        ({"choice": ["a", "b"], "weights": [1, "x"]}, "valid number"),
        ({"choice": ["a", "b"], "weights": [1, 1e-8]}, "a value of weight 1e-08 would never be drawn"),
        ({"grid": ["a", "b"], "weights": [1, 1]}, "Extra inputs"),
    ],
)
def test_weights_are_checked(form: object, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        made(form)
