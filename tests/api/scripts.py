"""Runs a script of a user in a process of its own: what connects to Ray must not meet another test's Ray."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

TRAIN = """
import sys
import orchestrator

def train(config, trial):
    for step in range(1, 4):
        trial.report(step=step, loss=(config["x"] - 0.3) ** 2 + 1 / step)

SPEC = {
    "space": {"x": {"uniform": [0, 1]}},
    "objective": {"metric": "loss"},
    "search": {"method": "random"},
    "scheduler": {"method": "none"},
    "budget": {"trials": 3},
}
"""


def run_script(text: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run what a user might write below ``TRAIN``."""
    script = directory / "script.py"
    script.write_text(TRAIN + textwrap.dedent(text))
    return subprocess.run(
        [sys.executable, "-W", "ignore", script],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
    )
