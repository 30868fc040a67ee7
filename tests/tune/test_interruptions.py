"""Sweeps that are killed, stopped and resumed, as a user does it: by the command line, with real signals."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest

pytestmark = pytest.mark.timeout(280)

TRIALS, STEPS = 14, 10
SPEC = f"""
name: s
trainable: train.py:train
space: {{x: {{uniform: [0, 1]}}}}
objective: {{metric: loss}}
search: {{method: random, seed: 3}}
scheduler: {{method: none}}
budget: {{trials: {TRIALS}}}
resources: {{gpu: 0}}
trial: {{retries: 3}}
"""
TRAIN = f"""
import os, time

def train(config, trial):
    for step in range(1, {STEPS} + 1):
        time.sleep(float(os.environ["SECONDS_A_STEP"]))
        trial.report(step=step, loss=config["x"] / step)
"""


class Terminal:
    """Commands in a project directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.seconds_a_step = 0.1
        (directory / "spec.yaml").write_text(SPEC)
        (directory / "train.py").write_text(TRAIN)
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator.cli", *arguments],
            cwd=self.directory,
            env=os.environ | {"SECONDS_A_STEP": str(self.seconds_a_step)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        out, _ = process.communicate(timeout=200)
        return process.returncode, out

    def trials(self) -> pd.DataFrame:
        return pd.read_parquet(self.directory / "results" / "s" / "trials.parquet")

    def metrics(self) -> pd.DataFrame:
        return pd.read_parquet(self.directory / "results" / "s" / "metrics")

    def events(self) -> pd.DataFrame:
        return pd.read_parquet(self.directory / "results" / "s" / "events")

    def wait_for(self, done: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while process.poll() is None and not _safely(done):
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.1)


def _safely(done: Callable[[], bool]) -> bool:
    try:
        return done()
    except FileNotFoundError:
        return False


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=30)
        if process.stdout is not None and not process.stdout.closed:
            process.stdout.close()


def check_whole(terminal: Terminal) -> None:
    """Each (trial, step) once, no completed trial twice, the configurations and the best of an undisturbed run."""
    trials, metrics, events = terminal.trials(), terminal.metrics(), terminal.events()
    assert trials["state"].tolist() == ["completed"] * TRIALS
    assert len(metrics) == TRIALS * STEPS
    assert not metrics.duplicated(["trial", "step"]).any()
    completed = events[events["event"] == "completed"].groupby("trial").size()
    assert (completed == 1).all()
    assert len(completed) == TRIALS
    expected = [random.Random(f"3/{number}").random() for number in range(TRIALS)]
    assert trials["config.x"].tolist() == pytest.approx(expected)
    assert trials.loc[trials["objective"].idxmin(), "config.x"] == pytest.approx(min(expected))


def test_killed_again_and_again_it_ends_as_if_undisturbed(terminal: Terminal) -> None:
    """The driver, a worker and the raylet are killed in turn, at moments drawn at random."""
    draw = random.Random(0)
    terminal.seconds_a_step = 0.3
    process = terminal.start("launch", "spec.yaml")
    for victim in ("driver", "worker", "driver", "raylet", "driver"):
        before = _rows(terminal)
        terminal.wait_for(lambda before=before: _rows(terminal) > before, process)  # type: ignore[misc]
        time.sleep(draw.random() * 2)
        assert process.poll() is None, "it was to be killed more often: give it more to do"
        children = psutil.Process(process.pid).children(recursive=True)
        targets = {
            "driver": [psutil.Process(process.pid)],
            "worker": [child for child in children if _called(child, "ray::ResourceTrainable")],
            "raylet": [child for child in children if _called(child, "raylet/raylet")],
        }[victim]
        assert targets, victim
        draw.choice(targets).kill()
        if victim == "worker":
            continue  # the driver goes on by itself
        if victim == "raylet":
            process.wait(timeout=120)
        process.wait(timeout=60)
        _, alive = psutil.wait_procs(children, timeout=30)
        assert not alive, f"Ray outlived its driver after {victim} was killed"
        process = terminal.start("resume")
    out, _ = process.communicate(timeout=200)
    if process.returncode:
        code, out = terminal.run("resume")
        assert code == 0, out
    check_whole(terminal)


def _rows(terminal: Terminal) -> int:
    try:
        return len(terminal.metrics())
    except FileNotFoundError:
        return 0


def _called(process: psutil.Process, name: str) -> bool:
    try:
        return name in " ".join(process.cmdline())
    except psutil.Error:
        return False


def test_stopped_and_resumed_and_grown(terminal: Terminal) -> None:
    terminal.seconds_a_step = 0.5
    launched = terminal.start("launch", "spec.yaml")
    terminal.wait_for(lambda: _rows(terminal) > 0, launched)
    code, out = terminal.run("resume")  # while it runs
    assert code == 2
    assert f"pid {launched.pid}" in out
    code, out = terminal.run("stop")
    assert code == 0, out
    said = launched.communicate(timeout=60)[0]
    assert launched.returncode == 0, said
    assert "stopped by sweep stop" in said
    assert "sweep resume s" in said
    assert "cancelled" in set(terminal.trials()["state"])
    terminal.seconds_a_step = 0.1

    code, out = terminal.run("stop")
    assert (code, "is not running" in out) == (2, True)
    (terminal.directory / "train.py").write_text(TRAIN + "\n# changed")
    code, out = terminal.run("resume")
    assert code == 2
    assert "code of train.py:train changed" in out
    assert "--allow-change" in out
    code, out = terminal.run("resume", "--allow-change")
    assert code == 0, out
    check_whole(terminal)

    code, out = terminal.run("resume", "--trials", str(TRIALS + 2))
    assert code == 0, out
    trials = terminal.trials()
    assert trials["state"].tolist() == ["completed"] * (TRIALS + 2)
    assert (trials["attempts"][TRIALS:] == 1).all()
    code, out = terminal.run("resume", "--trials", "3")
    assert (code, "is a total" in out) == (2, True)


def test_sigterm_is_a_stop(terminal: Terminal) -> None:
    launched = terminal.start("launch", "spec.yaml")
    terminal.wait_for(lambda: _rows(terminal) > STEPS, launched)
    launched.send_signal(signal.SIGTERM)
    said = launched.communicate(timeout=60)[0]
    assert launched.returncode == 0, said
    assert "stopped by SIGTERM" in said
    assert set(terminal.trials()["state"]) <= {"completed", "cancelled"}
