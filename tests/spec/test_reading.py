"""Reads complete specs, with overrides, and reports every mistake at its place."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from orchestrator.errors import SpecError, TrainableError
from orchestrator.spec import parse_spec, read_spec, spec_schema
from tests.spec.churn_example import EXAMPLE, TABULAR

MINIMAL = {"trainable": "t", "space": {"lr": {"uniform": [0, 1]}}, "objective": {"metric": "loss"}}

TYPO_IN_EVERY_SECTION = """\
name: my churn
trainable: tabular
fixed:
  data: data/telco.csv
  targt: churn
  epochs: 30.0
space:
  lr: {logunif: [1e-4, 1e-1]}
  batch_size: {choice: [32, 64], ordered: yes}
  layers: {int: [4, 1]}
  width: {logint: [16, 256], stepp: 4}
  dropout: {uniform: [0.0, 1.6]}
  weight_decay: 0.1
  optimizer: {choice: [sgd, adam, adamw]}
  momentum: {uniform: [0.5, 0.99], when: "optimizer == 'sdg'"}
  nesterov: {choice: [true, false], when: optimizer == 'sgd'}
  epochs: {int: [1, 3]}
constraints:
  - "layers * widht <= 512"
  - "layers = 3"
objective: {metric: val_los, mode: minimise}
search: {method: tpee, seed: -1, trials: 3}
scheduler: {method: asha, grace_period: 0, reduction_factr: 3}
budgets: {trials: 60}
budget: {trials: many, hours: 0}
resources: {cpu: 1, gpu: 1.5, memory: lots}
trial: {timeout: 10 min, retries: 2.0, keep: all}
metric: x
budget: {trials: 3}
"""

EVERY_MISTAKE = """\
s.yaml:1: name: 'my churn' is not a valid name (letters a to z, digits, . _ -; the first one a letter or a digit)
s.yaml:4: fixed.data: there is no file or folder 'data/telco.csv' (a path from PROJECT)
s.yaml:5: fixed.targt: tabular has no hyperparameter 'targt' (did you mean 'target'?)
s.yaml:6: fixed.epochs: 30.0 is not an integer (write 30)
s.yaml:8: space.lr: unknown distribution 'logunif' (did you mean 'loguniform'? one of: uniform, loguniform, int, logint, normal, lognormal, choice, grid)
s.yaml:9: space.batch_size.ordered: 'yes' is not true or false (in YAML 1.2, yes and no are words)
s.yaml:10: space.layers: [4, 1] is not a range ([low, high] with low below high)
s.yaml:11: space.width.stepp: unknown key 'stepp' (did you mean 'step'? one of: when, prior, logint, step)
s.yaml:12: space.dropout: uniform reaches from 0 to 1.6 (dropout is in [0, 1])
s.yaml:13: space.weight_decay: 0.1 is not a distribution (as in {uniform: [0, 1]} or {choice: [a, b]}; constant values go under fixed)
s.yaml:15: space.momentum.when: optimizer is never 'sdg' (did you mean 'sgd'? one of: sgd, adam, adamw)
s.yaml:16: space.nesterov.when: an expression without quotes (write when: "optimizer == 'sgd'")
s.yaml:17: space.epochs: epochs is also in fixed (remove it from fixed or from space)
s.yaml:19: constraints[0]: unknown name 'widht' at character 10 of 'layers * widht <= 512' (did you mean 'width'?)
s.yaml:20: constraints[1]: 'layers = 3' is not an expression at character 8: invalid syntax (write '==' to compare)
s.yaml:21: objective.mode: unknown value 'minimise' (did you mean 'min'? one of: min, max)
s.yaml:21: objective.metric: tabular does not report 'val_los' (did you mean 'val_loss'? one of: val_loss, train_loss)
s.yaml:22: search.method: unknown value 'tpee' (did you mean 'tpe'? file.py:Class, module:Class, or one of: auto, grid, random, sobol, list, tpe, optuna)
s.yaml:22: search.seed: -1 is out of range (at least 0)
s.yaml:22: search.trials: unknown key 'trials' (it belongs under budget)
s.yaml:23: scheduler.grace_period: 0 is out of range (at least 1)
s.yaml:23: scheduler.reduction_factr: unknown key 'reduction_factr' (did you mean 'reduction_factor'? one of: method, variant, unit, grace_period, reduction_factor, max, brackets, top, audit)
s.yaml:24: budgets: unknown key 'budgets' (did you mean 'budget'?)
s.yaml:25: budget.trials: 'many' is not an integer
s.yaml:25: budget.hours: 0 is out of range (above 0)
s.yaml:26: resources.gpu: 1.5 is not a number of GPUs (auto, packed, a whole number, a fraction below 1, or a formula, as in '2 if width > 1024 else 1')
s.yaml:26: resources.memory: unknown value 'lots' (a size, as in 4GB, a formula, or one of: lr, batch_size, layers, width, dropout, weight_decay, optimizer, momentum, nesterov, epochs, data, targt)
s.yaml:27: trial.timeout: '10 min' is not a duration (as in 90s, 10m, 1h30m, or a number of seconds above 0)
s.yaml:27: trial.retries: 2.0 is not an integer (write 2)
s.yaml:27: trial.keep: unknown value 'all' (one of: best, last, both, none, or top3 for the best 3 trials)
s.yaml:28: metric: unknown key 'metric' (it belongs under objective)
s.yaml:29: budget: given twice, first on line 25 (each key once)
"""  # noqa: E501


def mistakes(read, *args, **kwargs):
    with pytest.raises(SpecError) as caught:
        read(*args, **kwargs)
    return [str(mistake) for mistake in caught.value.mistakes]


def changed(**sections):
    return {**MINIMAL, **sections}


def test_the_example_reads_as_it_looks(project, resolve):
    (project / "churn.yaml").write_text(EXAMPLE)
    spec = read_spec(project / "churn.yaml", resolve=resolve)
    assert spec.name == "churn"
    assert spec.space["momentum"].when == "optimizer == 'sgd'"
    assert spec.trial.timeout == 600
    assert spec.resources.gpu == "auto"
    assert parse_spec(spec.to_plain(), base=project, resolve=resolve) == spec


def test_the_smallest_spec_needs_three_keys():
    spec = parse_spec(MINIMAL, base=Path())
    assert (spec.search.method, spec.objective.mode, spec.scheduler, spec.keep.checkpoints) == (
        "auto",
        "min",
        None,
        "best",
    )
    assert mistakes(parse_spec, {}, base=Path()) == [
        "spec: trainable: trainable is missing (as in trainable: tabular, or command: python train.py --lr {lr})",
        "spec: objective: objective is missing (as in objective: {metric: val_loss, mode: min})",
        "spec: space: there is nothing to search (as in space: {lr: {loguniform: [1e-4, 1e-1]}})",
    ]


def test_an_empty_section_is_one_that_is_not_written():
    assert parse_spec(changed(budget=None, fixed=None, scheduler=None), base=Path()) == parse_spec(MINIMAL, base=Path())


def test_every_mistake_at_once_each_at_its_line(project, resolve, monkeypatch):
    monkeypatch.chdir(project)
    Path("s.yaml").write_text(TYPO_IN_EVERY_SECTION)
    found = mistakes(read_spec, Path("s.yaml"), resolve=resolve)
    assert "\n".join(found) + "\n" == EVERY_MISTAKE.replace("PROJECT", str(project))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00a", "not a text file (YAML in UTF-8)"),
        (b"", "the document is empty"),
        (b"#" * 2_100_000, "larger than 2 MB"),
        (None, "No such file"),
    ],
)
def test_what_cannot_be_read_is_a_mistake(tmp_path, content, words):
    path = tmp_path / "s.yaml"
    if content is not None:
        path.write_bytes(content)
    (found,) = mistakes(read_spec, path)
    assert found.startswith(str(path))
    assert words in found


@pytest.mark.timeout(20)
def test_no_pipe_or_device_is_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        (found,) = mistakes(read_spec, path)
        assert "not a regular file" in found


def test_a_trainable_that_cannot_be_loaded_is_a_mistake_at_its_key(project):
    def resolve(reference, base):
        raise TrainableError(f"there is no trainable {reference!r}")

    (project / "s.yaml").write_text(EXAMPLE)
    (found,) = mistakes(read_spec, project / "s.yaml", resolve=resolve)
    assert found.endswith("s.yaml:3: trainable: there is no trainable 'tabular'")


class TestOverrides:
    def test_set_replaces_and_makes(self):
        overrides = [
            "budget.trials=20",
            "space.lr={loguniform: [1e-3, 1]}",
            "search.seed=7",
            "name=x",
        ]
        spec = parse_spec(MINIMAL, base=Path(), overrides=overrides)
        assert (spec.budget.trials, spec.space["lr"].form, spec.search.seed, spec.name) == (
            20,
            "loguniform",
            7,
            "x",
        )

    def test_null_takes_out(self):
        assert parse_spec(changed(budget={"trials": 3}), base=Path(), overrides=["budget=null"]).budget.trials is None

    def test_items_of_lists_are_numbered(self):
        data = changed(constraints=["lr < 1", "lr < 2"])
        assert parse_spec(data, base=Path(), overrides=["constraints.1=lr < 0.5"]).constraints[1] == "lr < 0.5"

    def test_they_stand_after_the_file(self, project):
        (project / "s.yaml").write_text(EXAMPLE)
        spec = read_spec(project / "s.yaml", overrides=["space.momentum.when=optimizer != 'adam'"])
        assert spec.space["momentum"].when == "optimizer != 'adam'"

    @pytest.mark.parametrize(
        ("override", "expected"),
        [
            ("budgt.trials=3", "--set budgt.trials: budgt: unknown key 'budgt' (did you mean 'budget'?"),
            (
                "budget.trails=3",
                "--set budget.trails: budget.trails: unknown key 'trails' (did you mean 'trials'?",
            ),
            ("budget.trials=x", "--set budget.trials: budget.trials: 'x' is not an integer"),
            ("space.lr={unifrm: [0, 1]}", "--set space.lr: space.lr: unknown distribution 'unifrm'"),
            ("space.m={int: [0, 1], when: a > 1}", "--set space.m: space.m.when: unknown name 'a'"),
            ("space.lr.uniform=[2, 1]", "spec with --set space.lr.uniform: space.lr: [2, 1] is not a range"),
            ("space.lr.uniform.0=7", "spec with --set space.lr.uniform.0: space.lr: [7, 1"),
            ("budget.trials", "--set budget.trials: expected KEY=VALUE (as in --set budget.trials=20)"),
            ("=3", "--set: expected KEY=VALUE"),
            ("a..b=3", "--set a..b: expected KEY=VALUE"),
            ("trainable.x=1", "--set trainable.x: trainable: 't' has no keys (set trainable itself)"),
            ("constraints.3=a", "--set constraints.3: constraints: the list has no item '3'"),
            ("search.seed=[", "--set search.seed: not YAML"),
            ("search.seed=!!python/name:os 1", "--set search.seed: search.seed: the tag"),
            (".".join("a" * 5000) + "=1", "expected KEY=VALUE"),
        ],
    )
    def test_a_mistake_names_the_override(self, override, expected):
        data = changed(constraints=["lr < 1"])
        assert any(expected in each for each in mistakes(parse_spec, data, base=Path(), overrides=[override]))


def test_the_schema_is_one_and_the_example_fits_it():
    schema = spec_schema()
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(YAML(typ="safe", pure=True).load(EXAMPLE))
    assert not Draft202012Validator(schema).is_valid(changed(budgets={}))
    assert not Draft202012Validator(schema).is_valid(changed(space={"lr": {"unifrm": [0, 1]}}))


def test_every_key_is_described():
    schema = spec_schema()
    models = [schema, *schema["$defs"].values()]
    bare = [
        f"{model['title']}.{name}"
        for model in models
        for name, field in model["properties"].items()
        if "description" not in field and "$ref" not in field
    ]
    assert bare == []
    assert len(schema["properties"]) <= 20


def test_the_spec_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        parse_spec(MINIMAL, base=Path()).search.seed = 3


def test_reading_specs_imports_nothing_heavy():
    code = (
        "import sys, pathlib, orchestrator.spec as s; s.parse_spec("
        f"{MINIMAL!r}, base=pathlib.Path());"
        "heavy = {'ray', 'torch', 'pandas', 'numpy', 'pyarrow', 'scipy', 'optuna', 'ruamel.yaml'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_declaration_fits_the_example():
    assert {each.name for each in TABULAR.hyperparameters} >= {"data", "target", "epochs", "lr", "momentum"}
