"""What the tests of the command line share."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from orchestrator.cli.app import main
from tests.cli.recorded import record

TRAIN = """
import sys

def train(config, trial):
    print("hello from the trainable")
    for epoch in range(1, 6):
        if config["kind"] == "raises" and epoch == 3:
            raise ValueError("no good")
        if config["kind"] == "exits":
            sys.exit(3)
        if config["kind"] == "silent":
            continue
        if config["kind"] == "other":
            trial.report(step=epoch, accuracy=1.0)
        elif config["kind"] == "diverges" and epoch == 4:
            trial.report(step=epoch, loss=float("nan"))
        else:
            trial.report(step=epoch, loss=1 / epoch)

class Model:
    def __init__(self, config, trial):
        self.left = 2

    def step(self):
        self.left -= 1
        return {"loss": float(self.left)} if self.left >= 0 else None

def tuned(config):
    from ray import tune
    tune.report({"loss": 0.5})
"""
SPEC = """
trainable: train.py:train
fixed: {epochs: 5}
space:
  lr: {uniform: [0, 1]}
  kind: {choice: [fine, raises, exits, silent, other, diverges]}
  momentum: {uniform: [0.5, 0.9], when: "kind == 'fine'"}
objective: {metric: loss}
"""


class Ran(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


@pytest.fixture
def sweep(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs a command in this process, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWEEP_RESULTS", raising=False)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: object) -> Ran:
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec, and the train.py that it trains, which can end in each way."""
    (tmp_path / "train.py").write_text(TRAIN)
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A results directory with a finished sweep, and one that was interrupted."""
    record(tmp_path / "results")
    record(tmp_path / "results", halt_after=3)
    return tmp_path / "results"


def csv_rows(text: str) -> list[dict[str, str]]:
    """The rows of a table in CSV."""
    return list(csv.DictReader(io.StringIO(text)))
