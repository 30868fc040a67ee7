"""Nested parameters: one meaning however they are written, dotted inside, nested again for the trainable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orchestrator.analysis.next_spec.spec_change import SpecChange, apply_change
from orchestrator.analysis.next_spec.spec_text import render_spec
from orchestrator.errors import SpecError
from orchestrator.spec import parse_spec, read_config, read_spec, spec_schema
from orchestrator.spec.editing import add_comments, remove_key, set_value
from orchestrator.spec.load_trainable import known
from orchestrator.spec.nested_names import flat
from orchestrator.yaml.reader import from_yaml
from trainables.configuration import complete, nested
from trainables.declaration import Hyperparameter

TEXT = """\
trainable: train.py:train
fixed:
  optim: {momentum: 0.9}
space:
  optim:  # the optimizer
    lr: {loguniform: [1e-4, 1e-1]}
    name: {choice: [sgd, adam]}
    beta:
      uniform: [0, 1]
      when: "optim.name == 'adam'"
  model.width: {int: [1, 64]}
constraints: ["optim.lr * model.width <= 1"]
objective: {metric: loss}
search: {start: [{optim: {lr: 0.01, name: sgd}, model: {width: 3}}]}
"""


def mistakes(tmp_path: Path, text: str, *overrides: str) -> dict[str, tuple[int | None, str]]:
    file = tmp_path / "spec.yaml"
    file.write_text(text)
    with pytest.raises(SpecError) as caught:
        read_spec(file, overrides=overrides)
    return {each.key: (each.place.line, f"{each.problem} ({each.allowed})") for each in caught.value.mistakes}


def test_inside_there_are_dotted_names_only(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(TEXT)
    spec = read_spec(tmp_path / "spec.yaml")
    assert list(spec.space) == ["optim.lr", "optim.name", "optim.beta", "model.width"]
    assert spec.fixed == {"optim.momentum": 0.9}
    assert spec.search.start == [{"optim.lr": 0.01, "optim.name": "sgd", "model.width": 3}]
    assert parse_spec(spec.to_plain(), base=tmp_path) == spec
    space = spec.parameter_space()
    assert space.is_active("optim.beta", {"optim.name": "adam"})
    assert not space.feasible({"optim.lr": 0.1, "model.width": 11})
    config = "{optim: {lr: 0.1, name: adam}, optim.beta: 0.5, model: {width: 2}}"
    assert read_config(config, space, name="--config") == {
        "optim.lr": 0.1,
        "optim.name": "adam",
        "optim.beta": 0.5,
        "model.width": 2,
    }
    Draft202012Validator(spec_schema()).validate(from_yaml(TEXT, "spec").data)


@pytest.mark.parametrize("written", ["space: {optim: {lr: {uniform: [0, 1]}}}", "space: {optim.lr: {uniform: [0, 1]}}"])
@pytest.mark.parametrize(
    ("override", "names"),
    [
        ("space.optim.lr={choice: [1, 2]}", {"optim.lr": "choice"}),
        ("space.optim={name: {choice: [1, 2]}}", {"optim.name": "choice"}),
        ("space.optim.name={choice: [1, 2]}", {"optim.lr": "uniform", "optim.name": "choice"}),
        ("space={optim.b: {choice: [1, 2]}}", {"optim.b": "choice"}),
    ],
)
def test_an_override_means_the_same_however_the_spec_is_written(
    written: str, override: str, names: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "spec.yaml").write_text(f"trainable: a.py:b\nobjective: {{metric: loss}}\n{written}\n")
    spec = read_spec(tmp_path / "spec.yaml", overrides=[override])
    assert {name: each.form for name, each in spec.space.items()} == names


def test_an_override_reaches_into_a_nested_distribution(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(TEXT)
    overrides = ["space.optim.lr.loguniform.1=0.5", "space.model.width.int.1=5", "search.start.0.optim.lr=0.3"]
    spec = read_spec(tmp_path / "spec.yaml", overrides=overrides)
    assert (spec.space["optim.lr"].extent, spec.space["model.width"].extent) == ((1e-4, 0.5), (1, 5))
    assert spec.search.start[0]["optim.lr"] == 0.3


def test_configurations_of_a_csv_file_may_be_nested(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("optim.lr,optim.name\n0.1,sgd\n0.2,adam\n")
    data = {"trainable": "a.py:b", "objective": {"metric": "loss"}, "search": {"method": "list", "configs": "c.csv"}}
    spec = parse_spec(data, base=tmp_path)
    assert spec.search.configs == [{"optim.lr": 0.1, "optim.name": "sgd"}, {"optim.lr": 0.2, "optim.name": "adam"}]
    rows = [{"optim": {"lr": 0.1, "name": "sgd"}}, {"optim": {"lr": 0.2}, "optim.name": "adam"}]
    assert parse_spec(data | {"search": {"method": "list", "configs": rows}}, base=tmp_path) == spec


class TestMistakes:
    def test_each_has_the_line_on_which_it_is_written(self, tmp_path: Path) -> None:
        text = TEXT.replace("lr: {loguniform", "lr: {logunifrom").replace("[1, 64]", "[64, 1]")
        text = text.replace("lr: 0.01", "lrr: 0.01").replace("'adam'\"", "'adm'\"")
        found = mistakes(tmp_path, text)
        assert found["space.optim.lr"][0] == 6
        assert "did you mean 'loguniform'?" in found["space.optim.lr"][1]
        assert found["space.optim.beta.when"] == (
            10,
            "optim.name is never 'adm' (did you mean 'adam'? one of: sgd, adam)",
        )
        assert found["space.model.width"][0] == 11
        found = mistakes(tmp_path, TEXT.replace("{lr: 0.01", "{lrr: 0.01"))
        assert found["search.start[0].optim.lrr"][0] == 14
        assert "did you mean 'optim.lr'?" in found["search.start[0].optim.lrr"][1]

    @pytest.mark.parametrize(
        ("old", "new", "key", "words"),
        [
            ("fixed:", "fixed:\n  model: 3", "space.model.width", "model is a value in fixed, so it cannot contain"),
            ("model.width", "optim.lr.deep", "space.optim.lr.deep", "optim.lr is a value in space"),
            ("momentum", "lr.deep", "fixed.optim", "optim is a value in fixed, so it cannot contain"),
            ("model.width: ", "optim.lr: ", "space.optim.lr", "optim.lr is given twice"),
            ("momentum", "lr", "space.optim.lr", "optim.lr is also in fixed"),
            ("    lr: {", '    when: "model.width > 3"\n    lr: {', "space.optim.when", "takes no condition"),
            ("    lr: {", "    lr: 0.1\n    rate: {", "space.optim.lr", "constant values go under fixed"),
            ("    lr: {", "    a-b: {", "space.optim.a-b", "'a-b' is not a valid parameter name"),
            ("model.width", "model..width", "space.model..width", "'model..width' is not a valid parameter name"),
            ("optim.lr *", "lr *", "constraints[0]", "did you mean 'optim.lr'?"),
            ("optim.lr *", "optim.lr.__class__ *", "constraints[0]", "unknown name 'optim.lr.__class__'"),
            ("optim.lr *", "(1).real *", "constraints[0]", "'(1).real' at character 1 of"),
        ],
    )
    def test_a_name_is_a_value_or_a_group(self, old: str, new: str, key: str, words: str, tmp_path: Path) -> None:
        assert old in TEXT
        found = mistakes(tmp_path, TEXT.replace(old, new, 1))
        wanted = found.get(key) or found.get("space.optim.lr", (0, ""))
        assert words in wanted[1], found

    def test_what_the_function_reads_may_be_nested(self, tmp_path: Path) -> None:
        def read(body: str) -> list[str]:
            (tmp_path / "nested_read.py").write_text(f"def train(config, trial):\n    {body}\n")
            data = from_yaml(TEXT.replace("train.py", "nested_read.py"), "spec").data
            try:
                parse_spec(data, base=tmp_path, resolve=known)
            except SpecError as error:
                return [f"{each.problem} ({each.allowed})" for each in error.mistakes]
            return []

        assert read("return config['optim']['lr'], config['optim']['momentum'], config['model']['width']") == []
        (wrong,) = read("return config['optim']['lrr']")
        assert "reads config['optim']['lrr'] (its line 2), which has no value (did you mean 'optim.lr'?)" in wrong


def test_a_parameter_may_be_called_like_a_distribution() -> None:
    data = {"trainable": "a.py:b", "objective": {"metric": "loss"}}
    space = {"noise": {"normal": {"uniform": [0, 1]}, "step": {"int": [1, 2]}}, "prior": {"choice": [1]}}
    assert list(parse_spec(data | {"space": space}, base=Path()).space) == ["noise.normal", "noise.step", "prior"]


def test_an_option_may_be_a_mapping() -> None:
    options = [{"flip": True}, {"flip": False, "crop": 3}]
    data = {
        "trainable": "a.py:b",
        "objective": {"metric": "loss"},
        "space": {"aug": {"choice": options, "prior": options[1]}},
        "search": {"start": [{"aug": options[0]}]},
    }
    spec = parse_spec(data, base=Path())
    assert spec.search.start == [{"aug": options[0]}]
    assert read_config("{aug: {flip: true}}", spec.parameter_space(), name="--config") == {"aug": {"flip": True}}


names = st.sampled_from(["a", "b", "lr", "x_1", "a-b", "1", "if", "ﬁ", ""])
values = st.recursive(
    st.integers() | st.text(max_size=3) | st.none() | st.lists(st.integers(), max_size=2) | st.just({}),
    lambda inner: st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@given(config=st.dictionaries(st.sampled_from(["a", "b", "lr", "x_1"]), values, max_size=3))
def test_a_trainable_gets_the_mapping_that_was_written(config: dict[str, Any]) -> None:
    dotted = flat(config)
    assert nested(dotted) == config
    assert flat(dotted) == dotted


def test_declared_names_may_be_nested() -> None:
    declared = (
        Hyperparameter(name="optim.lr", type=float, default=0.1, meaning="rate", low=0),
        Hyperparameter(name="optim.name", type=str, default="sgd", meaning="which", choices=("sgd", "adam")),
        Hyperparameter(name="epochs", type=int, default=3, meaning="length"),
    )
    assert complete({"optim": {"lr": 1}}, declared) == {"optim": {"lr": 1.0, "name": "sgd"}, "epochs": 3}
    with pytest.raises(ValueError, match=r"optim\.nam: no such hyperparameter; did you mean optim\.name\?"):
        complete({"optim": {"nam": "adam"}}, declared)


class TestEditing:
    def test_nested_values_are_set_where_they_are(self) -> None:
        text = set_value(TEXT, ("space", "optim.lr", "loguniform"), [0.1, 1])
        text = set_value(text, ("space", "model.width", "int"), [1, 2])
        text = set_value(text, ("fixed", "optim.name"), "sgd")
        assert text == (
            TEXT.replace("[1e-4, 1e-1]", "[0.1, 1]").replace("[1, 64]", "[1, 2]").replace("0.9}", "0.9, name: sgd}")
        )

    def test_a_group_goes_with_its_last_value(self) -> None:
        text = TEXT
        for name in ("optim.lr", "optim.name", "optim.beta"):
            text = remove_key(text, ("space", name))
        assert "optimizer" not in text
        assert list(from_yaml(text, "spec").data["space"]) == ["model.width"]

    def test_comments_stand_beside_nested_values(self) -> None:
        text = add_comments(TEXT, [(("space", "optim.beta", "uniform"), "was wider")])
        assert text == TEXT.replace("uniform: [0, 1]", "uniform: [0, 1]  # was wider")

    def test_the_next_spec_changes_only_the_lines_that_say_something_else(self, tmp_path: Path) -> None:
        narrower = SpecChange(edits={("space", "optim.lr"): {"loguniform": [1e-3, 1e-1]}}, reason="was [0.0001, 0.1]")
        fixed = SpecChange(
            edits={("space", "model.width"): None, ("fixed", "model.width"): 3, ("search", "start"): None},
            reason="was searched",
        )
        plain = parse_spec(from_yaml(TEXT, "spec").data, base=tmp_path).to_plain()
        for change in (narrower, fixed):
            plain = apply_change(plain, change)
        plain = parse_spec(plain, base=tmp_path).to_plain()
        text = render_spec(TEXT, plain, [narrower, fixed], head="from n", base=tmp_path)
        assert text.splitlines()[1:] == [
            "trainable: train.py:train",
            "fixed:",
            "  optim: {momentum: 0.9}",
            "  model.width: 3  # was searched",
            "space:",
            "  optim:  # the optimizer",
            "    lr: {loguniform: [0.001, 0.1]}  # was [0.0001, 0.1]",
            *TEXT.splitlines()[6:10],
            *TEXT.splitlines()[11:13],
            "search: {start: []}",
        ]
