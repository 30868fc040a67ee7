"""`sweep confirm` as a user runs it, on real Ray: the best of a sweep again with other seeds, and the verdict."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.records.load import load
from tests.cli.conftest import Ran

pytestmark = pytest.mark.long

Sweep = Callable[..., Ran]
PROGRAM = "import sys; from orchestrator.cli.app import main; sys.exit(main(sys.argv[1:]))"
TRAIN = """
import random


def train(config, trial):
    for epoch in range(1, 4):
        trial.save(step=epoch, x=config["x"])
        trial.report(step=epoch, loss=config["x"] + random.random() / epoch)


def evaluate(config, trial):
    return {"test_loss": trial.restore()["x"]}


train.evaluate = evaluate
"""
SPEC = """
name: small
trainable: train.py:train
space: {x: {choice: [1, 2, 3, 4]}}
objective: {metric: loss, at: last}
search: {method: grid}
scheduler: {method: none}
resources: {gpu: 0}
"""


def command(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(words, cwd=directory, capture_output=True, text=True, timeout=200, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep that has ended, in a project."""
    directory = tmp_path_factory.mktemp("project")
    (directory / "train.py").write_text(TRAIN)
    (directory / "small.yaml").write_text(SPEC)
    ran = command(directory, "launch", "small.yaml", "--cpus", "2")
    assert ran.returncode == 0, ran.stderr
    return directory


def test_the_verdict(project: Path, sweep: Sweep) -> None:
    ran = command(project, "confirm", "small", "--top", "2", "--seeds", "3", "--cpus", "2")
    assert ran.returncode == 0, ran.stderr
    trials = load(project / "results" / "small-confirm").trials
    assert sorted(trials["config.x"]) == [1, 1, 1, 2, 2, 2]
    assert trials["seed"].is_unique
    assert trials["objective"].is_unique
    verdict = ran.stdout.partition("small-confirm: 2 configurations, trained several times\n\n")[2].splitlines()
    assert verdict[0].split("  ")[0] == "mean loss"
    assert [line.split()[-1] for line in verdict[1:3]] == ["x=1", "x=2"]
    assert verdict[4].startswith("On average, the first results made them look ")
    assert re.search(r"checkpoint, step 3, on the test set: test_loss 1 ", ran.stderr)

    again = sweep("show", "small-confirm", "--repeats", "--results", project / "results")
    assert verdict[1] in again.out
    found = json.loads(sweep("show", "small-c", "--repeats", "--format", "json", "--results", project / "results").out)
    assert [each["config"] for each in found] == [{"x": 1}, {"x": 2}]
    assert "└ small-confirm" in sweep("ls", "--tree", "--results", project / "results").out


def test_what_cannot_be_confirmed(project: Path, sweep: Sweep) -> None:
    results = project / "results"
    assert sweep("confirm", "small", "--results", results, "--set", "search.repeats=0").code == 2
    assert sweep("confirm", "nothing", "--results", results).code == 2
    assert not (results / "nothing-confirm").exists()
