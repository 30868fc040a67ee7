"""Parameters as axes, as the space has them."""

from __future__ import annotations

from orchestrator.analysis.report.axes import axes, cell
from orchestrator.analysis.report.data import Axis, Scale


def one(distribution: object, values: list[object]) -> Axis:
    (axis,) = axes({"p": distribution}, {"p": values})
    return axis


def test_bounds_and_logarithms_are_the_spaces() -> None:
    axis = one({"loguniform": [1e-4, 1e-1]}, [1e-3])
    assert axis == Axis(name="p", scale=Scale(low=1e-4, high=1e-1, log=True), bounded=True)
    axis = one({"int": [1, 4], "when": "q == 1"}, [1, None])
    assert axis.integer
    assert axis.when == "q == 1"
    assert cell(axis, 3) == 3.0


def test_choices_are_words_in_their_order() -> None:
    axis = one({"choice": ["sgd", "adam"]}, ["adam"])
    assert axis.words == ("sgd", "adam")
    assert one({"choice": [32, 64, 128]}, [64]).words == ("32", "64", "128")
    assert one({"grid": [1e-3, 0.5]}, [0.5]).words == ("0.001", "0.5")
    mixed = one({"choice": [None, True, [8, 16], "a"]}, [[8, 16]])
    assert mixed.words == ("null", "true", "[8, 16]", "a")
    assert cell(mixed, [8, 16]) == "[8, 16]"
    assert cell(mixed, None) == "null"


def test_many_numbers_are_a_range() -> None:
    axis = one({"grid": [10.0**-power for power in range(9)]}, [1e-3])
    assert axis.scale is not None
    assert axis.scale.log


def test_what_has_no_bounds_takes_those_of_its_values() -> None:
    axis = one({"lognormal": [-7, 2]}, [1e-4, 1e-3, 1e-2])
    assert not axis.bounded
    assert axis.scale is not None
    assert axis.scale.log
    assert axis.scale.low < 1e-4 < 1e-2 < axis.scale.high
    assert not one({"normal": [0, 1]}, [-1.0, 2.0]).bounded
    assert one({"normal": [0, 1]}, []).scale is not None


def test_a_sweep_of_listed_configurations_has_no_space() -> None:
    found = axes({}, {"lr": [1e-4, 1e-3, 1e-1, 1.0], "kind": ["b", "a", None, "b"], "flag": [True, False]})
    assert found[0].scale is not None
    assert found[0].scale.log
    assert found[1].words == ("b", "a")
    assert found[2].words == ("true", "false")
