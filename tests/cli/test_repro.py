"""`sweep repro` as a user runs it, on real Ray: a trial again, by the recorded code and by edited code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.cli.recorded import record
from tests.cli.test_confirm import SPEC, command
from tests.docs.test_agents import check

pytestmark = pytest.mark.long

Sweep = Callable[..., Ran]
TRAIN = """
import random
import part


def train(config, trial):
    for epoch in range(1, 4):
        trial.report(step=epoch, loss=config["x"] + part.SCALE * random.random())
"""


def test_the_same_until_the_code_is_edited(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "part.py").write_text("SCALE = 1\n")
    (tmp_path / "small.yaml").write_text(SPEC + "trial: {isolation: reuse}\n")
    ran = command(tmp_path, "launch", "small.yaml", "--cpus", "2")
    assert ran.returncode == 0, ran.stderr

    (tmp_path / "part.py").write_text("SCALE = 2\n")
    ran = command(tmp_path, "repro", "small", "2", "--cpus", "2")
    assert ran.returncode == 0, ran.stderr
    said = "small-repro-2 is the same as trial 2 of small, to the last digit: loss at 3 steps"
    assert ran.stdout.splitlines()[-1] == said
    assert "part.py changed since; this trains the copy beside the records, not the project's file" in ran.stderr
    assert "were edited while" not in ran.stderr + ran.stdout

    ran = command(tmp_path, "repro", "small", "2", "--cpus", "2", "--current-code", "--json")
    assert ran.returncode == 1, ran.stderr
    event = json.loads(ran.stdout.splitlines()[-1])
    assert (event.pop("event"), bool(event.pop("at"))) == ("repeated", True)
    check("event repeated", event)
    assert (event["identical"], event["code"], event["partings"][0]["step"]) == (False, "project", 1)


def test_what_cannot_be_repeated(sweep: Sweep, results: Path) -> None:
    assert "the number of a trial is missing" in sweep("repro", "made-up").err
    assert "has no trial 99" in sweep("repro", "made-up", "99").err
    record(results, name="made-up-repro-3", parent="made-up")
    assert "made-up has no trial 99" in sweep("repro", "99").err, "the latest sweep that is no repetition"
    assert "'x' is not a trial" in sweep("repro", "made-up", "x").err
    assert sweep("repro", "made-up", "0", "--on", "slurm").code == 2
    assert len(list(results.glob("*repro*"))) == 1
