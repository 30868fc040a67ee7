"""A driver that is killed takes its programs with it, and a resume goes on from what they had saved."""

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
import json, pathlib, sys, time
rate, out, *resume = sys.argv[1:]
done = int(pathlib.Path(resume[0]).read_text()) if resume else 0
print("continues after", done)
for epoch in range(done + 1, 41):
    pathlib.Path(out, "state").write_text(str(epoch))
    print(json.dumps({"epoch": epoch, "loss": float(rate) / epoch}))
    time.sleep(0.25)
"""
SPEC = """
command: python train.py {rate} {checkpoint_dir} {resume}
resume: "{checkpoint_dir}/state"
space: {rate: {grid: [1, 2]}}
objective: {metric: loss}
search: {method: grid}
scheduler: {method: none, max: 40}
trial: {save_every: 1s}
"""


@pytest.mark.long
@pytest.mark.timeout(300)
def test_killed_and_resumed(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "spec.yaml").write_text(SPEC)
    driver = subprocess.Popen(sweep("launch", "spec.yaml"), cwd=tmp_path, stdout=subprocess.DEVNULL)
    log, deadline = tmp_path / "results" / "spec" / "logs" / "0.log", time.monotonic() + 120
    while not (log.exists() and log.read_text().count("epoch") > 12) and time.monotonic() < deadline:
        time.sleep(0.1)
    programs = [
        each for each in psutil.process_iter(["cmdline"]) if f"{tmp_path}" in " ".join(each.info["cmdline"] or [])
    ]
    assert programs
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    _, alive = psutil.wait_procs([each for each in programs if "train.py" in each.info["cmdline"]], timeout=20)
    assert not alive
    subprocess.run(sweep("resume", "spec"), cwd=tmp_path, check=True, capture_output=True)
    recorded = load(tmp_path / "results" / "spec")
    assert list(recorded.trials.state) == ["completed", "completed"]
    for trial in (0, 1):
        assert list(recorded.metrics[recorded.metrics.trial == trial].step) == list(range(1, 41))
    starts = [line for line in log.read_text().splitlines() if line.startswith("continues after")]
    assert starts[0] == "continues after 0"
    assert int(starts[1].rpartition(" ")[2]) > 2
    subprocess.run(sweep("best", "spec", "--checkpoint", "best"), cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "best" / "state").read_text() == "40"


def sweep(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "orchestrator", *arguments]
