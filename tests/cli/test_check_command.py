"""`sweep check` and `sweep try` on commands: how the program starts, and what is taken from its output."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Sweep = Callable[..., Ran]

SPEC = """
command: python train.py --lr {lr} --out {checkpoint_dir} {resume}
space: {lr: {choice: [0.5]}}
objective: {metric: val/loss}
search: {method: grid}
"""
OUTPUT = """loading …
{"epoch": 1, "val": {"loss": 2}, "trial": 3}
{"epoch": 2, "val": {"loss": 1}}
 50%|#####     |\r{"epoch": 2, "lr": 0.5}
{"epoch": 3, "val": {"loss": NaN}}
{"epoch": 1, "val": {"loss": 3}}
{"epoch": 4, "val": {"loss": 3}}
{"epoch": 5, "val": {"loss": 3}}
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "train.py").write_text('print(\'{"epoch": 1, "val": {"loss": 0.25}}\')')
    (tmp_path / "command.yaml").write_text(SPEC)
    (tmp_path / "out.txt").write_text(OUTPUT)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "command.yaml"


def test_check_shows_the_command_and_what_is_taken(sweep: Sweep, command: Path) -> None:
    ran = sweep("check", command, "--sample", "out.txt")
    assert ran.code == 0
    assert ran.out.splitlines()[1:] == [
        "as in: python train.py --lr 0.5 --out '{checkpoint_dir}'",
        "5 steps, counted by epoch:",
        "  step 1     val/loss 2",
        "  step 2     val/loss 1  lr 0.5",
        "  step 3     val/loss nan",
        "  …",
        "  step 5     val/loss 3",
    ]
    assert "'trial' is a column of the records" in ran.err
    assert "epoch 1 came after 3" in ran.err


def test_what_is_taken_in_json(sweep: Sweep, command: Path) -> None:
    (command.parent / "log.csv").write_text("step,loss\n1,2\n")
    output = "output={path: '{trial_dir}/log.csv'}"
    answer = json.loads(sweep("check", command, "--set", output, "--sample", "log.csv", "--json").out)
    assert answer["sample"] == {
        "step": "step",
        "pattern": None,
        "steps": [{"step": 1, "metrics": {"loss": 2}}],
        "warnings": ["no step has the objective val/loss (did you mean 'loss'? one of: loss)"],
    }


def test_a_sample_for_people_gets_a_pattern_that_reads_it(sweep: Sweep, command: Path) -> None:
    sample = command.parent / "keras.txt"
    sample.write_text("Epoch 1/2\n9/9 [===] - 4s - loss: 0.3 - val/loss: 0.15\nEpoch 2/2\n9/9 - 4s - val/loss=nan\n")
    out = sweep("check", command, "--sample", "keras.txt").out
    _, _, proposed = out.partition("no metrics are found; they are with:\n")
    line = proposed.splitlines()[0]
    assert line.startswith("output: {pattern: '")
    read = sweep("check", command, "--sample", "keras.txt", "--set", line.replace("output: ", "output=", 1)).out
    assert "2 steps, counted by val/loss:" in read
    assert "step 1     loss 0.3  val/loss 0.15" in read


def test_a_sample_without_metrics_and_one_that_is_not_there(sweep: Sweep, command: Path) -> None:
    assert "no metrics are found" in sweep("check", command, "--sample", "train.py").out
    ran = sweep("check", command, "--sample", "none.txt")
    assert ran.code == 2
    assert "--sample none.txt cannot be read" in ran.err


def test_try_shows_what_it_takes(sweep: Sweep, command: Path) -> None:
    ran = sweep("try", command)
    assert ran.code == 0
    assert "step 1     val/loss 0.25" in ran.out


def test_try_says_why_a_program_fails(sweep: Sweep, command: Path) -> None:
    (command.parent / "train.py").write_text("raise ValueError('no data')")
    ran = sweep("try", command)
    assert ran.code == 1
    assert "ValueError: no data (ended with exit status 1)" in ran.err
