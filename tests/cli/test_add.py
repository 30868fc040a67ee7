"""A sweep is given more to do from another terminal while it runs, and grows when it has ended. On real Ray."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.records.load import load
from tests.cli.conftest import Ran

PROGRAM = "import sys; from orchestrator.cli.app import main; sys.exit(main(sys.argv[1:]))"
TRAIN = """
import time

def train(config, trial):
    state = trial.restore()
    for step in range(state["step"] + 1 if state else 1, config["epochs"] + 1):
        time.sleep(0.15)
        if config["x"] == 3 and trial.number < 5:
            raise ValueError("a bad day")
        trial.save(step=step, x=config["x"])
        trial.report(step=step, loss=config["x"] + 1 / step)
"""
SPEC = """
name: growing
trainable: train.py:train
fixed: {epochs: 9}
space: {x: {int: [0, 99]}}
objective: {metric: loss}
search: {method: random, seed: 1, start: [{x: 3}, {x: 7}]}
scheduler: {method: none}
budget: {trials: 5}
resources: {gpu: 0, concurrency: 1}
"""


@pytest.mark.long
def test_a_sweep_is_given_more_to_do(sweep: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "growing.yaml").write_text(SPEC)
    program = [sys.executable, "-c", PROGRAM]
    launch = [*program, "launch", "growing.yaml", "--cpus", "2"]
    with subprocess.Popen(launch, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        try:
            assert running.stdout is not None
            while "trial 1 " not in running.stdout.readline():
                assert running.poll() is None

            ran = sweep("add", "--config", "{x: 0}", "--concurrency", 2)
            assert ran.code == 0, ran.err
            assert ran.err.splitlines()[-1].endswith("of growing starts next: x=0")
            again = sweep("add", "--config", "{x: 0}")
            assert again.code == 2
            assert "has this configuration already" in again.err
            wrong = sweep("add", "--config", "{x: 100, y: 1}")
            assert wrong.code == 2
            assert "unknown parameter 'y'" in wrong.err
            assert "100 is not in the space" in wrong.err
            out, _ = running.communicate(timeout=100)
        finally:
            running.kill()
    assert running.returncode == 0, out

    recorded = load("results/growing")
    assert len(recorded.trials) == 6
    (added,) = recorded.trials[recorded.trials.origin == "added"].itertuples()
    assert added.state == "completed"
    assert list(recorded.trials.state[:2]) == ["failed", "completed"]
    of_added = recorded.events[recorded.events.trial == added.trial]
    (added_at,) = of_added[of_added.event == "pending"]["at"]
    began = recorded.events[(recorded.events.event == "running") & (recorded.events["at"] >= added_at)]
    assert began.sort_values("at").trial.tolist().index(added.trial) <= 1  # at once, or behind the one being started
    (note,) = recorded.events[recorded.events.event == "note"].reason
    assert note.startswith("at most 2 trials at once from now on, by sweep add")

    assert sweep("add", "--config", "{x: 1}").err == "error: growing is not running: it has ended\n"
    assert sweep("add").code == 2

    resume = [*program, "resume", "--max-steps", "27", "--retry", "failed", "--cpus", "2"]
    ended = time.time()
    ran_again = subprocess.run(resume, capture_output=True, text=True, timeout=100, check=False)
    assert ran_again.returncode == 0, ran_again.stderr
    grown = load("results/growing")
    assert not grown.metrics.duplicated(["trial", "step"]).any()
    (retried,) = grown.trials[grown.trials.origin == "retry"].itertuples()
    assert (retried.retry_of, retried.state, retried.last_step) == (0, "completed", 27)
    first = grown.metrics[grown.metrics.reported_at.map(lambda at: at.timestamp()) > ended].groupby("trial").step.min()
    extended = grown.trials[(grown.trials.attempts == 2) & (grown.trials.last_step > 9)]
    assert added.trial in extended.trial.tolist()
    assert set(first[extended.trial]) == {10}, "they go on from their checkpoints"
    assert grown.trials.objective.min() == 0 + 1 / 27
