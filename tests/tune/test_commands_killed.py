"""A driver that is killed takes its programs with it, those of all ranks, and a resume goes on from what was saved."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from orchestrator.records.load import load

SCRIPT = """
import json, os, pathlib, sys, time
rate, out, *resume = sys.argv[1:]
done = int(pathlib.Path(resume[0]).read_text()) if resume else 0
rank = os.environ.get("RANK", "0")
print("continues after", done)
for epoch in range(done + 1, 10):
    if rank == "0":
        pathlib.Path(out, "state").write_text(str(epoch))
    print(json.dumps({"epoch": epoch, "loss": float(rate) / epoch if rank == "0" else -1}))
    time.sleep(0.1)
    if epoch == 6 and rate == "1" and not resume:
        print("holds")
        time.sleep(600)  # until it is killed
"""
SPEC = """
command: python train.py {rate} {checkpoint_dir} {resume}
resume: "{checkpoint_dir}/state"
space: {rate: {grid: [1, 2]}}
objective: {metric: loss}
search: {method: grid}
scheduler: {method: none, max: 9}
trial: {save_every: 0.2}
resources: {workers: %d, cpu: 1, concurrency: 1}
"""


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_and_resumed(workers: int, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "spec.yaml").write_text(SPEC % workers)
    driver = subprocess.Popen(sweep("launch", "spec.yaml"), cwd=tmp_path, stdout=subprocess.DEVNULL)
    recorded_in = tmp_path / "results" / "spec"
    logs = [recorded_in / "logs" / name for name in ("0.log", "0.rank1.log")[:workers]]
    saved = recorded_in / "checkpoints" / "0" / "last.json"
    while not (saved.exists() and all(log.exists() and "holds" in log.read_text() for log in logs)):
        assert driver.poll() is None
        time.sleep(0.1)
    programs = [
        each
        for each in psutil.process_iter(["cmdline"])
        if "train.py" in (each.info["cmdline"] or []) and f"{tmp_path}" in " ".join(each.info["cmdline"])
    ]
    assert len(programs) == workers
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    _, alive = psutil.wait_procs(programs, timeout=60)
    assert not alive
    subprocess.run(sweep("resume", "spec"), cwd=tmp_path, check=True, capture_output=True)
    recorded = load(recorded_in)
    assert list(recorded.trials.state) == ["completed", "completed"]
    for trial in (0, 1):
        assert list(recorded.metrics[recorded.metrics.trial == trial].step) == list(range(1, 10))
    began = [line for line in logs[0].read_text().splitlines() if line.startswith("continues after")]
    assert began[0] == "continues after 0"
    assert int(began[1].rpartition(" ")[2]) > 0
    for log in logs[1:]:  # rank 0 does not wait for the others, which may find what it saves next
        first, again = (line for line in log.read_text().splitlines() if line.startswith("continues after"))
        assert first == began[0]
        assert int(again.rpartition(" ")[2]) >= int(began[1].rpartition(" ")[2])
    subprocess.run(sweep("best", "spec", "--checkpoint", "best"), cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "best" / "state").read_text() == "9"


def sweep(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "orchestrator", *arguments]
