"""How long does it take from the command to the first report?

`sweep launch spec.yaml`, against a bare Ray Tune script: both start Ray on the same CPUs and train two trials of the
same function. The worker records the time right before it reports. For ours, the start of the trials' processes is
recorded too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring import Case, Comparison, Figures, Question, main

PEER = Path(__file__).parent / "peers" / "ray_first_report.py"

TRAIN = """
import time
from pathlib import Path


def train(config, trial):
    Path({stamps!r}, str(time.time_ns())).touch()
    trial.report(step=1, loss=config["x"])
"""

SPEC = """
trainable: train.py:train
space:
  x: {uniform: [0, 1]}
objective: {metric: loss}
search: {method: random}
budget: {trials: 2}
resources: {cpu: 1, gpu: 0}
"""


def ours() -> Figures:
    """Time `sweep launch`."""
    from orchestrator.records.load import load

    stamps = _stamps()
    Path("train.py").write_text(TRAIN.format(stamps=str(stamps)))
    Path("spec.yaml").write_text(SPEC)
    command = [sys.executable, "-m", "orchestrator", "launch", "spec.yaml", "--name", "first"]
    figures = _timed(command, stamps)
    return {**figures, "process_s": float(load("results/first").trials["startup_s"].mean())}


def ray_default() -> Figures:
    """Time a script like the one in Ray Tune's getting-started guide."""
    stamps = _stamps()
    return _timed([sys.executable, str(PEER), str(stamps), str(Path("ray_results").resolve())], stamps)


def _stamps() -> Path:
    stamps = Path("stamps").resolve()
    stamps.mkdir()
    return stamps


def _timed(command: Sequence[str], stamps: Path) -> Figures:
    began = time.time()
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    )
    whole = time.time() - began
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    reported = sorted(int(stamp.name) for stamp in stamps.iterdir())
    assert len(reported) == 2
    return {"s": reported[0] / 1e9 - began, "whole_s": whole}


QUESTION = Question(
    name="first_report",
    title="From the command to the first report",
    cases={"ray_default": Case(run=ray_default), "ours": Case(run=ours)},
    comparisons=[
        Comparison(row="9", what="from the command to the first report", figure="s", peer="ray_default", target=2)
    ],
)

if __name__ == "__main__":
    main(QUESTION)
