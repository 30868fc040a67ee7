"""`sweep launch` as a user runs it: two launches on real Ray, in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from orchestrator.records.load import load
from tests.cli.conftest import Ran

Sweep = Callable[..., Ran]
PROGRAM = "import sys; from orchestrator.cli.app import main; sys.exit(main(sys.argv[1:]))"
TRAIN = """
import time

def train(config, trial):
    for epoch in range(1, 4):
        if config["lr"] == 2 and epoch == 2:
            raise ValueError("no good")
        time.sleep(config["pause"])
        trial.report(step=epoch, loss=config["lr"] / epoch)
"""
SPEC = """
name: small
trainable: train.py:train
fixed: {pause: 0}
space: {lr: {choice: [1, 2, 3, 4]}}
objective: {metric: loss}
search: {method: grid}
scheduler: {method: none}
resources: {gpu: 0}
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "small.yaml").write_text(SPEC)
    return [sys.executable, "-c", PROGRAM, "launch", "small.yaml", "--cpus", "2"]


def test_piped(command: list[str], tmp_path: Path) -> None:
    ran = subprocess.run(
        [*command, "--profile"], cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
    )
    assert ran.returncode == 0, ran.stderr
    events, _, summary = ran.stdout.partition("\n\n")
    happened = sorted((line.split()[2], line.split()[3]) for line in events.splitlines())
    ends = [("0", "completed"), ("1", "failed"), ("2", "completed"), ("3", "completed")]
    assert happened == sorted([*ends, *((str(number), "running") for number in range(4))])
    assert summary.startswith("small  finished  train.py:train, min loss (best of a trial)\n4 trials: ")
    assert "best: trial 0, loss 0.33 at step 3\n  pause=0 lr=1" in summary
    assert "1 × ValueError at train.py:7  (trial 1)" in summary
    assert [line.split()[0] for line in summary.splitlines()[-5:]] == [
        "start-up",
        "training",
        "scheduling",
        "idle",
        "recording",
    ]
    assert 'pd.read_parquet("results/small/trials.parquet")' in ran.stderr
    assert "sweep show small --failures" in ran.stderr
    assert len(load(tmp_path / "results" / "small").trials) == 4


def test_interrupted(command: list[str], tmp_path: Path) -> None:
    running = subprocess.Popen(
        [*command, "--set", "fixed.pause=1", "--results", "elsewhere"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    assert "running" in running.stdout.readline()
    time.sleep(3)  # a report each second, and one until it has crossed
    of_ray = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=100)
    assert running.returncode == 130
    assert err.splitlines()[-1].startswith("error: interrupted by SIGINT; recorded results are kept in elsewhere/small")
    assert "small  halted" in out
    assert "  sweep resume elsewhere/small\n" in err
    assert "  sweep best elsewhere/small > best.yaml\n" in err
    sweep = load(tmp_path / "elsewhere" / "small")
    assert set(sweep.trials["state"]) <= {"completed", "cancelled", "failed"}
    assert len(sweep.metrics) > 0
    _, alive = psutil.wait_procs(of_ray, timeout=10)
    assert alive == []


@pytest.mark.parametrize("place", ["file", "file/results"])
def test_results_that_cannot_be_written(command: list[str], sweep: Sweep, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    ran = sweep("launch", "small.yaml", "--results", place)
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith(f"error: cannot record sweeps in {place}, which is not a directory")
