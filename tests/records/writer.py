"""A driver that writes without end, which the tests of concurrent readers and of crashes run as a process.

    python writer.py DIRECTORY ROUNDS [PAUSE]

It says the number of acknowledged reports, a line a round, and waits PAUSE seconds after each. Each trial has a
"pending" event, STEPS reports, and an end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from orchestrator.core.rows import EventRow, MetricRow, State, TrialRow
from orchestrator.records.paths import SweepPaths
from orchestrator.records.recorder import Recorder

STEPS = 7
SEAL_ROWS = 2_000
REPOSITORY = Path(__file__).parents[2]


def open_recorder(root: Path) -> Recorder:
    return Recorder(
        SweepPaths(root),
        sweep="churn",
        parameters={"lr": "float"},
        metrics=["val_loss"],
        logs_every=0.0,
        trials_every=0.0,
        seal_rows=SEAL_ROWS,
    )


def record_trial(recorder: Recorder, trial: int) -> None:
    recorder.events([EventRow(at=1.0, event="pending", trial=trial, detail={"lr": 0.1})])
    recorder.metrics(
        MetricRow(trial=trial, attempt=1, step=step, train_s=1.0, reported_at=2.0, metrics={"val_loss": 0.5})
        for step in range(STEPS)
    )
    recorder.events([EventRow(at=3.0, event="completed", trial=trial)])
    recorder.trial(TrialRow(trial=trial, state=State.COMPLETED, config={"lr": 0.1}))


def start_writer(root: Path, rounds: int, pause: float = 0.0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, __file__, str(root), str(rounds), str(pause)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    )


def main(root: Path, rounds: int, pause: float) -> None:
    recorder = open_recorder(root)
    trial = 0
    for _ in range(rounds):
        for _ in range(10):
            record_trial(recorder, trial)
            trial += 1
        recorder.flush()
        print(trial * STEPS, flush=True)
        time.sleep(pause)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
