"""`extends`: what a file says goes over what it extends says, and each mistake stands in its own file."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from orchestrator.errors import SpecError
from orchestrator.spec import parse_spec, read_spec, spec_schema
from orchestrator.spec.reading import text_to_record
from orchestrator.yaml.reader import from_yaml

BASE = """\
name: base
trainable: train.py:train
fixed: {epochs: 3, data: data.csv, optim: {momentum: 0.9}}
space:
  optim:
    lr: {loguniform: [1e-4, 1e-1], prior: 1e-3}
    name: {choice: [sgd, adam]}
  width: {int: [1, 4]}
derived: {warmup: "0.1 * epochs"}
constraints: ["optim.lr < 1"]
objective: {metric: loss}
search: {start: [{optim: {lr: 0.01, name: sgd}, width: 3}], seed: 3}
budget: {trials: 4, max_failures: 1}
resources: {custom: {a: 1, b: 2}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "data.csv").touch()
    (tmp_path / "sub").mkdir()
    return tmp_path


def written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


def mistakes(path: Path) -> list[tuple[str, int | None, str, str]]:
    with pytest.raises(SpecError) as caught:
        read_spec(path)
    return [(Path(each.place.file).name, each.place.line, each.key, each.problem) for each in caught.value.mistakes]


def test_mappings_are_merged_and_all_else_is_replaced(project: Path) -> None:
    child = """\
extends: base.yaml
space:
  optim.lr: {uniform: [0, 1]}
fixed: {optim: {name: adam}}
derived: {warmup: "0.2 * epochs"}
constraints: ["width < 4"]
search: {start: []}
budget: {trials: 9}
resources: {custom: {b: 3}}
"""
    spec = read_spec(written(project / "child.yaml", child))
    assert spec.name is None
    assert [(name, each.form) for name, each in spec.space.items()] == [("optim.lr", "uniform"), ("width", "int")]
    assert spec.space["optim.lr"].prior is None
    assert spec.fixed == {"epochs": 3, "data": "data.csv", "optim.momentum": 0.9, "optim.name": "adam"}
    assert (spec.derived, spec.constraints) == ({"warmup": "0.2 * epochs"}, ["width < 4"])
    assert (spec.search.start, spec.search.seed) == ([], 3)
    assert (spec.budget.trials, spec.budget.max_failures) == (9, 1)
    assert spec.resources.custom == {"a": 1, "b": 3}
    assert "extends" not in spec.to_plain()
    assert parse_spec(from_yaml(child, "child").data, base=project) == spec
    Draft202012Validator(spec_schema()).validate(from_yaml(child, "child").data)


def test_what_is_recorded_is_the_whole(project: Path) -> None:
    path = written(project / "child.yaml", "extends: base.yaml\nbudget: {trials: 9}\n")
    spec = read_spec(path)
    alone = written(project / "sub" / "recorded.yaml", text_to_record(path, spec).decode())
    assert read_spec(alone) == spec
    base = project / "base.yaml"
    assert text_to_record(base, read_spec(base)) == BASE.encode()


def test_overrides_go_over_both(project: Path) -> None:
    child = "extends: base.yaml\nspace: {optim: {name: {choice: [a, b]}}}\nsearch: {start: []}\n"
    overrides = ["space.optim.lr.loguniform.1=0.5", "space.optim.name.choice.0=c", "budget.trials=7"]
    spec = read_spec(written(project / "child.yaml", child), overrides=overrides)
    assert spec.space["optim.lr"].extent == (1e-4, 0.5)
    assert (spec.space["optim.name"].values(), spec.budget.trials) == (("c", "b"), 7)


def test_paths_are_those_of_the_file_in_which_they_are_written(project: Path) -> None:
    (project / "configs.csv").write_text("width\n1\n2\n")
    (project / "old").mkdir()
    search = "search: {start: [{optim: {lr: 0.01, name: sgd}, width: 3}], seed: 3}"
    written(project / "listed.yaml", BASE.replace(search, "search: {from: [old, named]}"))
    spec = read_spec(written(project / "sub" / "child.yaml", "extends: ../listed.yaml\n"))
    assert (spec.trainable, spec.fixed["data"]) == ("../train.py:train", "../data.csv")
    assert spec.search.earlier == ["../old", "named"]
    listed = "trainable: a.py:b\nobjective: {metric: loss}\nsearch: {method: list, configs: configs.csv}\n"
    written(project / "csv.yaml", listed)
    spec = read_spec(written(project / "sub" / "child.yaml", "extends: ../csv.yaml\n"))
    assert spec.search.configs == [{"width": 1}, {"width": 2}]


def test_a_chain_and_a_parameter_that_is_searched_no_more(project: Path) -> None:
    written(project / "middle.yaml", "extends: base.yaml\nspace: {width: null}\nsearch: {start: []}\n")
    spec = read_spec(written(project / "last.yaml", "extends: middle.yaml\nbudget: {trials: 1}\n"))
    assert list(spec.space) == ["optim.lr", "optim.name"]


def test_a_command_goes_over_a_trainable(project: Path) -> None:
    command = "extends: base.yaml\ncommand: python train.py {optim} {width} {epochs} {data} {warmup}\n"
    spec = read_spec(written(project / "child.yaml", command))
    assert (spec.trainable, spec.command) == (None, command.partition("command: ")[2].strip())


def test_each_mistake_stands_in_its_own_file(project: Path) -> None:
    written(project / "base.yaml", BASE.replace("[1, 4]", "[4, 1]"))
    path = written(project / "sub" / "child.yaml", "extends: ../base.yaml\nbudget: {trails: 9}\n")
    assert sorted(each[:3] for each in mistakes(path)) == [
        ("base.yaml", 8, "space.width"),
        ("child.yaml", 2, "budget.trails"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("extends: nope.yaml", "nope.yaml cannot be read: No such file or directory"),
        ("extends: sub", "sub cannot be read"),
        ("extends: [base.yaml]", "extends names no spec"),
        ("extends: ''", "extends names no spec"),
        ("extends: child.yaml", "the specs extend each other in a circle: child.yaml → child.yaml"),
        ("extends: loop.yaml", "the specs extend each other in a circle: child.yaml → loop.yaml → child.yaml"),
        ("extends: broken.yaml", "not YAML"),
        ("extends: empty.yaml", "extends names no spec"),
    ],
)
def test_what_cannot_be_extended_is_the_only_mistake(text: str, problem: str, project: Path) -> None:
    written(project / "loop.yaml", "extends: child.yaml\n")
    written(project / "broken.yaml", "a: [\n")
    written(project / "empty.yaml", "")
    (found,) = mistakes(written(project / "child.yaml", text + "\n"))
    assert problem in found[3]
