"""A trainable looks into its data before anything starts; what it finds is a mistake in the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import Mistake, SpecError
from orchestrator.spec import read_spec
from orchestrator.spec.data_checks import LOOKS
from orchestrator.spec.load_trainable import known
from trainables.data.problems import DataProblem
from trainables.declaration import REQUIRED, Declaration, Hyperparameter

SPEC = """\
trainable: tabular
objective: {metric: val_loss, mode: min}
fixed:
  data: table.csv
  target: y
space:
  lr: {loguniform: [1e-4, 1e-1]}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "table.csv").write_text("x,y,z\n" + "".join(f"{n * 7 % 41},{'ab'[n % 2]},{n % 5}\n" for n in range(40)))
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path / "spec.yaml"


def mistakes(spec: Path, *overrides: str, **options: Any) -> list[Mistake]:
    try:
        read_spec(spec, overrides=overrides, **({"resolve": known, "warn": pytest.fail} | options))
    except SpecError as error:
        return list(error.mistakes)
    return []


def test_a_missing_target_is_a_mistake_at_its_line(spec: Path) -> None:
    assert not mistakes(spec)
    spec.write_text(SPEC.replace("target: y", "target: why"))
    (found,) = mistakes(spec)
    assert (found.key, found.place.line, found.value) == ("fixed.target", 5, "why")
    assert found.problem == f"{spec.parent / 'table.csv'}: no column 'why'"
    assert found.allowed == "columns: x, y, z"


def test_the_data_is_not_looked_into_unless_that_is_asked_for(spec: Path) -> None:
    assert not mistakes(spec, "fixed.target=why", warn=None)
    assert mistakes(spec, "fixed.target=why")


def test_it_is_said_together_with_other_mistakes(spec: Path) -> None:
    found = mistakes(spec, "fixed.target=why", "space.lr={uniform: [-1, 1]}", "budget.trails=3")
    assert {each.key for each in found} == {"fixed.target", "space.lr", "budget.trails"}


def test_a_broken_value_is_not_looked_into(spec: Path) -> None:
    assert [each.key for each in mistakes(spec, "fixed.data=nowhere.csv")] == ["fixed.data"]
    assert [each.key for each in mistakes(spec, "fixed.validation=7")] == ["fixed.validation"]


def test_each_of_a_few_searched_targets_is_looked_into(spec: Path) -> None:
    spec.write_text(SPEC.replace("  target: y\n", "") + "  target: {choice: [y, z, why]}\n")
    (found,) = mistakes(spec)
    assert found.key == "space.target"
    assert found.problem.endswith("no column 'why' (with target: 'why')")


def test_pairs_that_no_trial_gets_are_not_looked_into(spec: Path) -> None:
    (spec.parent / "other.csv").write_text("x,w\n" + "".join(f"{n * 7 % 41},{'ab'[n % 2]}\n" for n in range(40)))
    spec.write_text(SPEC.replace("  target: y\n", "").replace("  data: table.csv\n", "  epochs: 2\n"))
    pairs = "[{data: table.csv, target: y, lr: 0.1}, {data: other.csv, target: w, lr: 0.1}]"
    of_list = f"search={{method: list, configs: {pairs}}}"
    text = spec.read_text().partition("space:")[0]
    spec.write_text(text)
    assert not mistakes(spec, of_list)
    (found,) = mistakes(spec, of_list.replace("target: w", "target: y"))
    assert found.problem.endswith("no column 'y' (with data: 'other.csv', target: 'y')")
    spec.write_text(
        f"{text}space:\n  data: {{choice: [table.csv, other.csv]}}\n  target: {{choice: [y, w]}}\n"
        """constraints: ["(data == 'other.csv') == (target == 'w')"]\n"""
    )
    assert not mistakes(spec)


def test_a_warning_is_no_mistake(spec: Path) -> None:
    data = spec.parent / "table.csv"
    data.write_text(data.read_text() + "7,,1\n")
    said: list[str] = []
    assert not mistakes(spec, warn=said.append)
    assert said == [f"{data}: 1 of 41 rows have no 'y', and are left out"]


def declared(check: Any, *names: str) -> dict[str, Any]:
    """Options for a trainable that has a check of its own."""
    each = (Hyperparameter(name=name, type=int, default=REQUIRED, meaning="x") for name in names)
    declaration = Declaration(hyperparameters=tuple(each), check_data=check)
    return {"resolve": lambda _reference, _base: declaration}


def test_a_check_that_fails_is_no_traceback(spec: Path) -> None:
    def check(config: Mapping[str, Any]) -> Iterator[DataProblem]:
        yield DataProblem(name="lr", problem="odd")
        raise KeyError("rows")

    spec.write_text("trainable: train.py:fit\nobjective: {metric: loss, mode: min}\nspace:\n  lr: {int: [1, 9]}\n")
    (found,) = mistakes(spec, **declared(check, "lr"))
    assert (found.key, found.problem) == ("trainable", "check_data of train.py:fit failed: KeyError: 'rows'")


def test_only_what_it_reads_is_tried_and_not_more_often_than_it_takes(spec: Path) -> None:
    looked: list[int] = []

    def check(config: Mapping[str, Any]) -> Iterator[DataProblem]:
        looked.append(config["rows"])
        yield from ()

    spec.write_text(
        "trainable: train.py:fit\nobjective: {metric: loss, mode: min}\n"
        "space:\n  lr: {int: [1, 99]}\n  rows: {int: [1, 3]}\n"
    )
    assert not mistakes(spec, **declared(check, "lr", "rows"))
    assert sorted(looked) == [1, 2, 3]
    looked.clear()
    assert not mistakes(spec, "space.rows={int: [1, 99]}", **declared(check, "lr", "rows"))
    assert len(set(looked)) == len(looked) == LOOKS
