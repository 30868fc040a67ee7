"""`sweep check`: one line for a valid spec, every mistake of another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import SPEC, Ran
from trainables import BUILTIN

Sweep = Callable[..., Ran]


def test_a_good_spec_takes_one_line(sweep: Sweep, spec: Path) -> None:
    ran = sweep("check", spec)
    assert ran == (0, f"{spec} is valid: 3 parameters, 20 trials (by default), auto, asha, min loss\n", "")


def test_the_short_options_are_seen(sweep: Sweep, spec: Path) -> None:
    ran = sweep("check", spec, "--trials", 7, "--set", "search.method=random", "--name", "07")
    assert ran.out == f"{spec} is valid: 3 parameters, 7 trials, random, asha, min loss\n"


def test_every_mistake_at_once(sweep: Sweep, spec: Path) -> None:
    spec.write_text(SPEC.replace("uniform: [0, 1]", "uniforn: [0, 1]").replace("train.py:train", "linaer"))
    ran = sweep("check", "spec.yaml", "--set", "budget.trials=many")
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err == (
        "spec.yaml:2  trainable\n"
        "    unknown trainable 'linaer'\n"
        f"    did you mean 'linear'? file.py:function, module:function, or built in: {', '.join(BUILTIN)}\n"
        "spec.yaml:5  space.lr\n"
        "    unknown distribution 'uniforn'\n"
        "    did you mean 'uniform'? one of: uniform, loguniform, int, logint, normal, lognormal, choice, grid\n"
        "--set budget.trials  budget.trials\n"
        "    'many' is not an integer\n"
        "\n"
        "3 mistakes in spec.yaml\n"
    )


def test_the_schema_is_json(sweep: Sweep) -> None:
    assert json.loads(sweep("check", "--schema").out)["title"] == "Sweep"


def test_a_sweep_that_no_number_of_trials_ends(sweep: Sweep, spec: Path) -> None:
    ran = sweep("check", spec, "--set", "budget={hours: 8}")
    assert "3 parameters, any number of trials, auto" in ran.out


def test_the_data_is_looked_into(sweep: Sweep, spec: Path) -> None:
    Path("table.csv").write_text("x,y\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(40)))
    text = "trainable: tabular\nfixed: {data: table.csv, target: y}\nspace:\n  lr: {loguniform: [1e-4, 1]}\n"
    spec.write_text(f"{text}objective: {{metric: val_loss, mode: min}}\n")
    assert sweep("check", spec).code == 0
    spec.write_text(spec.read_text().replace("target: y", "target: why"))
    for command in ("check", "plan", "launch", "try"):
        ran = sweep(command, "spec.yaml")
        assert ran.code == 2
        assert "spec.yaml:2  fixed.target\n    table.csv: no column 'why'\n" in ran.err
    assert "fixed.target" not in sweep("simulate", "spec.yaml").err
