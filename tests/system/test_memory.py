"""A node runs short of memory, and Ray kills a worker: for real, against a limit a little above what is in use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from orchestrator.records.load import load

pytestmark = [pytest.mark.system, pytest.mark.timeout(280)]

ROOM = 2e9
"""Bytes that may be used beyond what is in use: what Ray and two workers need, and some."""

TRAIN = """
import time

def train(config, trial):
    trial.report(step=1, loss=1.0)
    greedy = trial.directory / "greedy"
    if trial.number == 1 and not greedy.exists():
        greedy.touch()
        hoard = [bytes([1]) * 100_000_000 for _ in range(40)]
        time.sleep(60)
    trial.report(step=2, loss=0.5)
"""
SPEC = """
trainable: train.py:train
space: {x: {uniform: [0, 1]}}
objective: {metric: loss}
search: {method: random}
budget: {trials: 3}
trial: {retries: 3}
resources: {gpu: 0}
"""


def test_a_worker_that_ray_kills_for_memory_costs_an_attempt_and_not_the_sweep(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "spec.yaml").write_text(SPEC)
    memory = psutil.virtual_memory()
    limit = {
        "RAY_memory_usage_threshold": f"{1 - (memory.available - ROOM) / memory.total:.3f}",
        "RAY_memory_monitor_refresh_ms": "100",
    }
    run = subprocess.run(
        [sys.executable, "-m", "orchestrator", "launch", "spec.yaml", "--cpus", "1", "--name", "short"],
        cwd=tmp_path,
        env={**os.environ, **limit},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "WorkerDied: the worker process ended because the node ran out of memory" in run.stdout
    sweep = load(tmp_path / "results" / "short")
    assert set(sweep.trials["state"]) == {"completed"}
    retries = sweep.events[sweep.events["event"] == "retry"]
    assert 1 in set(retries["trial"])
