"""Specs drawn by hypothesis: spaces of every distribution, with conditions and constraints."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = ("lr", "width", "kind", "drop", "epochs", "sizes", "momentum", "deep")
_numbers = st.floats(-1e3, 1e3).map(lambda value: round(value, 3))
_positive = st.floats(1e-6, 1e3).map(lambda value: float(f"{value:.3g}"))
_words = st.lists(st.sampled_from(["a", "b", "c", "yes", "1e5", "x y"]), min_size=1, max_size=4, unique=True)


@st.composite
def _range(draw: Any, form: str, numbers: Any) -> dict[str, Any]:
    low, high = sorted(draw(st.lists(numbers, min_size=2, max_size=2, unique=True)))
    return {form: [low, high]}


@st.composite
def _stepped(draw: Any) -> dict[str, Any]:
    low, steps, step = draw(st.integers(-5, 5)), draw(st.integers(1, 40)), draw(st.sampled_from([1, 2, 5]))
    form = draw(st.sampled_from(["uniform", "int"]))
    scale = 0.1 if form == "uniform" else 1
    bounds = [round(low * scale, 3), round((low + steps * step) * scale, 3)]
    return {form: bounds, "step": round(step * scale, 3)}


distributions = st.one_of(
    _range("uniform", _numbers),
    _range("loguniform", _positive),
    _range("int", st.integers(-50, 500)),
    _range("logint", st.integers(1, 5000)),
    _stepped(),
    st.builds(lambda mean, sd: {"normal": [mean, sd]}, _numbers, _positive),
    st.builds(lambda mean, sd: {"lognormal": [mean, sd]}, st.integers(-9, 9), st.sampled_from([0.5, 1, 2])),
    st.builds(lambda words: {"choice": words}, _words),
    st.builds(
        lambda numbers: {"choice": sorted(numbers), "ordered": True},
        st.lists(st.sampled_from([16, 32, 64, 128, 256, 512]), min_size=1, max_size=6, unique=True),
    ),
    st.just({"choice": [[8], [8, 16], []]}),
    st.just({"choice": [True, False]}),
    st.just({"choice": [1, "auto", None]}),
    st.builds(lambda numbers: {"grid": numbers}, st.lists(st.integers(0, 50), min_size=1, max_size=5, unique=True)),
)
"""Forms of parameters, without conditions."""


@st.composite
def spaces(draw: Any) -> tuple[dict[str, Any], list[str]]:
    """A space and constraints that most of it meets."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
    space = {name: dict(draw(distributions)) for name in names}
    constraints = []
    numeric = [name for name in names if not {"choice", "grid"} & space[name].keys()]
    words = [name for name in names if isinstance((space[name].get("choice") or [0])[0], str)]
    if words and len(names) > 1 and draw(st.booleans()):
        name = next(each for each in names if each != words[0])
        space[name]["when"] = f"{words[0]} == {space[words[0]]['choice'][0]!r}"
    if numeric and draw(st.booleans()):
        constraints.append(f"{numeric[0]} > -1e9 or {numeric[-1]} < 1e9")
    return space, constraints


@st.composite
def specs(draw: Any) -> dict[str, Any]:
    """A whole spec, of a trainable that nobody has."""
    space, constraints = draw(spaces())
    finite = all({"choice", "grid"} & each.keys() for each in space.values())
    return {
        "name": draw(st.sampled_from(["churn", "a-1", "x.y"])),
        "trainable": draw(st.sampled_from(["mine:train", "train.py:train"])),
        "fixed": draw(st.dictionaries(st.sampled_from(["seed", "data"]), st.sampled_from([1, 0.5, "a b", "d.csv"]))),
        "space": space,
        "constraints": constraints,
        "objective": {"metric": "loss", "mode": draw(st.sampled_from(["min", "max"]))},
        "search": {
            "method": draw(st.sampled_from(["random", "tpe", "sobol", *(["grid"] if finite else [])])),
            "seed": draw(st.integers(0, 9)),
        },
        "budget": draw(st.sampled_from([{}, {"trials": 30}, {"hours": 0.5}])),
    }
