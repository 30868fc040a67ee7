from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orchestrator.code.files import code_files
from orchestrator.errors import SpecError
from orchestrator.spec import Spec, parse_spec, spec_schema
from orchestrator.spec.load_trainable import known
from trainables.command.program import Program

COMMAND = "python train.py --lr {lr}"


def spec_of(tmp_path: Path, **sections: Any) -> Spec:
    (tmp_path / "train.py").touch()
    (tmp_path / "odd.cfg").write_text("rate = {lrr}")
    data = {
        "command": COMMAND,
        "space": {"lr": {"loguniform": [1e-4, 1]}},
        "objective": {"metric": "loss"},
    } | sections
    return parse_spec({key: value for key, value in data.items() if value is not None}, base=tmp_path, resolve=known)


def mistakes(tmp_path: Path, **sections: Any) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        spec_of(tmp_path, **sections)
    return [(each.key, each.problem) for each in caught.value.mistakes]


def test_a_command_stands_in_place_of_a_trainable(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, env={"WANDB_MODE": "offline", "N": 3, "ON": True}, output={"step": "epoch"})
    program = spec.trained
    assert isinstance(program, Program)
    assert program.arguments == ("python", "train.py", "--lr", "{lr}")
    assert program.env == {"WANDB_MODE": "offline", "N": "3", "ON": "true"}
    assert program.output.step == "epoch"
    assert str(program) == COMMAND
    plain = spec.to_plain()
    assert parse_spec(plain, base=tmp_path, resolve=known) == spec
    jsonschema.validate(plain, spec_schema())


def test_a_list_has_an_argument_for_each_item(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, command=["python", "train.py", "a b", "{lr}"])
    assert isinstance(spec.trained, Program)
    assert spec.trained.arguments == ("python", "train.py", "a b", "{lr}")
    assert str(spec.trained) == "python train.py 'a b' {lr}"


@pytest.mark.parametrize(
    ("sections", "key", "problem"),
    [
        ({"command": None}, "trainable", "trainable is missing"),
        ({"trainable": "tabular"}, "command", "trainable names what to train, too"),
        ({"command": ""}, "command", "the command is empty"),
        ({"command": []}, "command", "the command is empty"),
        ({"command": "python 'train.py"}, "command", "cannot be split"),
        ({"command": ["python", 3]}, "command[1]", "3 is not text"),
        ({"command": {"run": "x"}}, "command", "is not text"),
        ({"command": "pithon {lr}"}, "command", "there is no program 'pithon' on PATH"),
        ({"command": "python trian.py {lr}"}, "command", "there is no file"),
        ({"command": "python train.py {lrr} {lr}"}, "command", "there is no value for {lrr}"),
        ({"command": ["python", "train.py", "{lr}", "{x.y}"]}, "command[3]", "there is no value for {x.y}"),
        ({"command": "python train.py"}, "space.lr", "the command does not use lr"),
        ({"fixed": {"width": 3}}, "fixed.width", "the command does not use width"),
        ({"env": {"A": "{b}"}}, "env.A", "there is no value for {b}"),
        ({"env": {"A=B": "1"}}, "env.A=B", "cannot name an environment variable"),
        ({"env": {"A": [1]}}, "env.A", "cannot be the value of an environment variable"),
        ({"output": {"stepp": "x"}}, "output.stepp", "unknown key 'stepp'"),
        ({"template": "no.yaml", "command": "python train.py {config.yaml}"}, "command", "there is no file"),
        ({"template": "train.py"}, "template", "nothing uses the template"),
        ({"template": "odd.cfg", "command": "python train.py {config.cfg}"}, "space.lr", "does not use lr"),
        ({"resume": "--resume {checkpoint_dir}"}, "resume", "nothing uses resume"),
        ({"command": "python train.py {lr} {resume}", "resume": ["-r", 3]}, "resume[1]", "3 is not text"),
        (
            {"command": "python train.py {lr} {resume}", "resume": "-r {checkpoint}"},
            "resume",
            "no value for {checkpoint}",
        ),
        ({"output": {"path": "m.csv"}}, "output.path", "all trials would write the same file"),
        ({"output": {"path": "{trial_dir}/log"}}, "output.format", "does not tell its format"),
        ({"output": {"path": "{nope}/m.csv"}}, "output.path", "there is no value for {nope}"),
        ({"output": {"format": "csv"}}, "output.path", "no file of format csv is named"),
        ({"output": {"pattern": "("}}, "output.pattern", "is not a regular expression"),
        ({"output": {"pattern": "loss"}}, "output.pattern", "has no named group"),
        ({"output": {"pattern": "(?P<los>x)"}}, "output.pattern", "there is no group for the objective"),
        ({"output": {"pattern": "(?P<loss>x)", "format": "csv", "path": "{lr}.csv"}}, "output.pattern", "takes no"),
        ({"command": None, "trainable": "linear", "env": {"A": "b"}}, "env", "env is for a program"),
        ({"command": None, "trainable": "linear", "output": {"step": "b"}}, "output", "output is for a program"),
        ({"command": None, "trainable": "linear", "trial": {"grace": 3}}, "trial.grace", "grace is for a program"),
    ],
)
def test_mistakes(sections: dict[str, Any], key: str, problem: str, tmp_path: Path) -> None:
    found = mistakes(tmp_path, **sections)
    assert [each for each in found if each[0] == key and problem in each[1]], found


def test_each_slip_is_said_once(tmp_path: Path) -> None:
    assert len(mistakes(tmp_path, command="pithon {lr}")) == 1
    assert len(mistakes(tmp_path, command=["python", 3])) == 1


def test_the_length_and_what_conditions_use_need_no_placeholder(tmp_path: Path) -> None:
    space = {"lr": {"uniform": [0, 1], "when": "kind == 'a'"}, "kind": {"choice": ["a", "b"]}}
    spec_of(tmp_path, fixed={"epochs": 9}, space=space)
    spec_of(tmp_path, space={"kind": {"choice": ["a", "b"]}}, command="python train.py", env={"KIND": "{kind}"})


def test_derived_values_have_placeholders_and_use_what_they_are_computed_from(tmp_path: Path) -> None:
    derived = {"warmup": "round(0.1 * total)"}
    command = "python train.py {lr} {warmup}"
    spec_of(tmp_path, fixed={"total": 90}, derived=derived, command=command)
    assert mistakes(tmp_path, fixed={"total": 90}, derived=derived) == [
        ("derived.warmup", "the command does not use warmup")
    ]


def test_nested_names_have_dots_and_a_group_is_all_that_is_in_it(tmp_path: Path) -> None:
    space = {"optim": {"lr": {"uniform": [0, 1]}, "name": {"choice": ["sgd", "adam"]}}}
    spec_of(tmp_path, space=space, command="python train.py {optim.lr} {optim.name}")
    spec_of(tmp_path, space=space, command="python train.py {optim}")
    assert mistakes(tmp_path, space=space, command="python train.py {optim.lr}") == [
        ("space.optim.name", "the command does not use optim.name")
    ]


def test_a_configuration_file_has_all_values_and_a_template_those_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("a: {1: 2}\nlr: {lr}\n")
    spec_of(tmp_path, command="python train.py {config.toml}")
    spec = spec_of(tmp_path, command="python train.py {config.yaml}", template="base.yaml")
    assert {"base.yaml", "train.py"} == {file.name for file in code_files(spec.trained, tmp_path)}


def test_the_script_and_what_it_imports_are_the_code(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("import helper")
    for name in ("src/helper.py", "pkg/__init__.py", "pkg/__main__.py", "conf.yaml", "run.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def code(*arguments: str) -> list[str]:
        program = Program(text="", arguments=arguments, objective="loss")
        return [file.name for file in code_files(program, tmp_path)]

    assert code("python", "src/train.py", "conf.yaml") == ["conf.yaml", "src/helper.py", "src/train.py"]
    assert code("sh", "run.sh") == ["run.sh"]
    assert code("python", "-m", "pkg") == ["pkg/__init__.py", "pkg/__main__.py"]
    assert code("ls") == []
