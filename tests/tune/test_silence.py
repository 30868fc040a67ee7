"""Trials that hang in different ways fail, with the line where they hang."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]

TIMEOUT_S = 2.0
HANGS = {
    "busy loop": "while True: pass",
    "the interpreter held": "child(); re.match('(a+)+$', 'a' * 60 + 'b')",
    "dead lock": "one.acquire(); dead_lock(one, other)",
    "child": "subprocess.run(['sleep', '1000'])",
}
TRAIN = """
import re, subprocess, threading, time

def dead_lock(one, other):
    def cross():
        with other:
            one.acquire()
    threading.Thread(target=cross, daemon=True).start()
    time.sleep(0.1)
    other.acquire()

def child():
    subprocess.Popen(["sleep", "1000"])

def train(config, trial):
    one, other = threading.Lock(), threading.Lock()
    trial.report(step=1, loss=1.0)
    match config["kind"]:
"""
for kind, line in HANGS.items():
    TRAIN += f"        case {kind!r}:\n            {line}\n"
TRAIN += "    time.sleep(0.3)\n    trial.report(step=2, loss=0.5)\n"


def test_hanging_trials_end_with_their_stack(sweep_of: Callable[..., Any], tmp_path: Path) -> None:
    kinds = [*HANGS, "fine", "fine too"]
    began = time.monotonic()
    sweep = sweep_of(
        TRAIN,
        space={"kind": {"choice": kinds}},
        search={"method": "grid"},
        budget={},
        trial={"timeout": TIMEOUT_S},
    )
    assert time.monotonic() - began < 60
    assert sweep_of.error is None
    trials = sweep.trials.set_index("config.kind")
    assert trials["state"].to_dict() == dict.fromkeys(HANGS, "failed") | {"fine": "completed", "fine too": "completed"}
    lines = (tmp_path / "train.py").read_text().splitlines()
    for kind, hang in HANGS.items():
        row = trials.loc[kind]
        assert row["error_type"] == "Timeout", row["error_message"]
        assert row["train_s"] < TIMEOUT_S + 10
        number = 1 + next(n for n, text in enumerate(lines) if text.strip() == hang)
        assert f'train.py", line {number}, in train\n    {hang}\n' in row["error_traceback"]
        assert "orchestrator" not in row["error_traceback"]
        log = sweep.paths.log(row["trial"]).read_text()
        assert f'train.py", line {number}' in log
    assert "other.acquire()" in trials.loc["dead lock", "error_traceback"]
    assert not [process for process in psutil.process_iter() if _sleeps(process)]


def _sleeps(process: psutil.Process) -> bool:
    try:
        return process.cmdline() == ["sleep", "1000"]
    except psutil.Error:
        return False


def test_a_retry_continues_from_the_checkpoint_in_another_process(sweep_of: Callable[..., Any]) -> None:
    sweep = sweep_of(
        """
        import os, re, time
        def train(config, trial):
            restored = trial.restore() or {"step": 0}
            for step in range(restored["step"] + 1, 5):
                trial.save(step=step)
                trial.report(step=step, loss=1.0, pid=os.getpid())
                if step == 2 and not restored["step"]:
                    time.sleep(1.5)  # reports of the last heartbeat are lost with the process
                    re.match("(a+)+$", "a" * 60 + "b")
        """,
        space={"x": {"uniform": [0, 1]}},
        budget={"trials": 1},
        trial={"timeout": TIMEOUT_S, "retries": 1, "save_every": 0.1},
    )
    assert sweep_of.error is None
    row = sweep.trials.iloc[0]
    assert (row["state"], row["attempts"], row["failures"]) == ("completed", 2, 1)
    assert sweep.metrics["step"].tolist() == [1, 2, 3, 4]
    assert sweep.metrics["pid"].nunique() == 2
    log = sweep.paths.log(0).read_text()
    assert log.startswith("Timeout (0:00:0")
    assert "attempt 2:" not in log, "it prints nothing"
