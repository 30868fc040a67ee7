"""A driver that is killed takes all ranks of its trials with it, and a resume goes on from what rank 0 had saved."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from orchestrator.records.load import load
from tests.ddp import CONFIG, EPOCHS, TRAIN, alone, noted


@pytest.mark.long
@pytest.mark.timeout(300)
def test_killed_and_resumed(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    config = json.dumps({**CONFIG, "hold": 4})
    (tmp_path / "s.yaml").write_text(
        textwrap.dedent(
            f"""
            trainable: train.py:train
            fixed: {{epochs: {EPOCHS}}}
            search: {{method: list, configs: [{config}]}}
            objective: {{metric: loss}}
            scheduler: {{method: none}}
            trial: {{save_every: 0.2}}
            resources: {{workers: 2, cpu: 1, gpu: 0}}
            """
        )
    )
    sweep = [sys.executable, "-m", "orchestrator"]
    driver = subprocess.Popen([*sweep, "launch", "s.yaml"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    trial = tmp_path / "results" / "s" / "trials" / "0"
    saved = tmp_path / "results" / "s" / "checkpoints" / "0" / "last.pt"
    while not (saved.exists() and [notes[-1].get("holds") for notes in noted(trial).values()] == [4, 4]):
        assert driver.poll() is None
        time.sleep(0.1)
    ranks = [psutil.Process(notes[-1]["pid"]) for notes in noted(trial).values()]
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    _, alive = psutil.wait_procs(ranks, timeout=60)
    assert not alive
    resumed = subprocess.run([*sweep, "resume", "s"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    recorded = load(tmp_path / "results" / "s")
    assert recorded.trials["state"].tolist() == ["completed"]
    assert recorded.metrics["step"].tolist() == list(range(1, EPOCHS + 1))
    assert recorded.metrics["loss"].tolist() == pytest.approx(alone(0.01), abs=1e-5)
    began = {note["first"] for notes in noted(trial).values() for note in notes if "first" in note}
    assert len(began) == 2  # 1, and the same step on both ranks
    assert max(began) > 1
