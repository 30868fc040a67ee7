"""Mistakes about samplers of Optuna and about classes of the user, found before anything runs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import SpecError
from orchestrator.spec import Spec, parse_spec

MINE = """
class Line:
    def __init__(self, space, seed, mode): ...
    def ask(self, number): return {"x": 0.5}
    def tell(self, number, config, value, step, outcome): ...

class Deaf:
    def ask(self, number): ...

def function(): ...
"""


def parsed(base: Path, search: dict[str, Any]) -> Spec:
    data = {
        "trainable": "mine:train",
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "search": search,
    }
    return parse_spec(data, base=base, resolve=lambda reference, base: None)


def mistake(base: Path, **search: Any) -> str:
    with pytest.raises(SpecError) as raised:
        parsed(base, search)
    assert len(raised.value.mistakes) == 1
    return str(raised.value).removeprefix("spec: ")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "own_line_search.py").write_text(MINE)
    (tmp_path / "torn_search.py").write_text("import nothing_of_that_name\n")
    return tmp_path


def test_samplers_and_own_classes_are_accepted(base: Path) -> None:
    spec = parsed(base, {"method": "optuna", "sampler": "TPESampler", "options": {"n_startup_trials": 5}})
    assert spec.search.sampler == "TPESampler"
    assert parsed(base, {"method": "own_line_search.py:Line"}).search.is_own
    assert parsed(base, {"method": "own_line_search:Line", "options": {"width": 3}}).search.options == {"width": 3}
    assert parse_spec(spec.to_plain(), base=base) == spec


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"method": "optuna"}, "search: method optuna has no sampler (as in {method: optuna, sampler: GPSampler})"),
        ({"sampler": "GPSampler", "method": "tpe"}, "search.sampler: method tpe takes no sampler (only optuna does)"),
        ({"options": {"a": 1}, "method": "random"}, "search.options: method random takes no options (only optuna"),
        ({"method": "optuna", "sampler": "GpSampler"}, "search.sampler: optuna has no sampler 'GpSampler' (did you mean"
         " 'GPSampler'?"),
        ({"method": "optuna", "sampler": "TPESampler", "options": {"n_startup": 5}},
         "search.options.n_startup: TPESampler has no option 'n_startup' (did you mean 'n_startup_trials'?"),
        ({"method": "optuna", "sampler": "NSGAIISampler", "options": {"population_size": 1}},
         "search.options: NSGAIISampler(population_size=1) refuses:"),
        ({"method": "sobol", "from": ["old"]}, "search.from: method sobol does not learn from earlier sweeps ("),
        ({"form": ["old"]}, "search.form: unknown key 'form' (did you mean 'from'?"),
        ({"method": "optnua"}, "search.method: unknown value 'optnua' (did you mean 'optuna'? file.py:Class, "
         "module:Class, or one of: "),
        ({"method": "own_line_search.py:Lime"}, "search.method: own_line_search.py has no class 'Lime' (did you mean "
         "'Line'?"),
        ({"method": "own_line_search.py:function"}, "search.method: own_line_search.py has no class 'function'"),
        ({"method": "own_line_search.py:Deaf"}, "search.method: own_line_search.py:Deaf has no tell (ask(number) and"),
        ({"method": "own_lime_search.py:Line"}, "search.method: there is no file "),
        ({"method": "torn_search:Line"}, "search.method: torn_search cannot be imported: ModuleNotFoundError: No"),
        ({"method": "torn_search:"}, "search.method: unknown value 'torn_search:'"),
    ],
)  # fmt: skip
def test_mistakes_name_the_place_and_what_is_allowed(base: Path, search: dict[str, Any], message: str) -> None:
    assert mistake(base, **search).startswith(message)


def test_a_sampler_says_which_package_it_lacks(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "cmaes" else found(name))
    assert mistake(base, method="optuna", sampler="CmaEsSampler") == (
        "search.sampler: CmaEsSampler needs the package cmaes (pip install cmaes)"
    )
