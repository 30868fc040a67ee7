"""How long do commands take that start nothing?

Each command runs in its own process and is timed from start to end, after one run to fill Python's bytecode cache.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measuring import Case, Comparison, Figures, Question, main

SWEEPS = 100
SPEC = """\
trainable: linear
space:
  lr: {loguniform: [1e-5, 1e-1]}
objective: {metric: loss}
scheduler: {method: asha}
budget: {trials: 20}
resources: {cpu: 1, gpu: 0}
"""


def help_() -> Figures:
    """`sweep --help`."""
    return _seconds("--help", shows="plan")


def check() -> Figures:
    """`sweep check` of a spec with a built-in trainable."""
    return _of_spec("check")


def plan() -> Figures:
    """`sweep plan` of the same spec."""
    return _of_spec("plan")


def ls() -> Figures:
    """`sweep ls` of 100 sweeps."""
    from benchmarks.recorded import record

    for number in range(SWEEPS):
        record(Path("results"), trials=10, reports=10, name=f"sweep-{number}")
    return _seconds("ls", shows=f"sweep-{SWEEPS - 1}")


def _of_spec(command: str) -> Figures:
    Path("spec.yaml").write_text(SPEC)
    return _seconds(command, "spec.yaml", shows="trials")


def _seconds(*arguments: str, shows: str) -> Figures:
    command = [str(Path(sys.executable).with_name("sweep")), *arguments]
    subprocess.run(command, capture_output=True, check=True)
    began = time.perf_counter()
    ran = subprocess.run(command, capture_output=True, check=True, text=True)
    seconds = time.perf_counter() - began
    assert shows in ran.stdout + ran.stderr, ran
    return {"seconds": seconds}


QUESTION = Question(
    name="commands",
    title="Commands that start nothing",
    cases={"help": Case(run=help_), "check": Case(run=check), "plan": Case(run=plan), "ls": Case(run=ls)},
    comparisons=[
        Comparison(row="10", what="sweep --help", figure="seconds", ours="help", target=0.4),
        Comparison(row="10", what="sweep check of a built-in", figure="seconds", ours="check", target=0.6),
        Comparison(row="10", what="sweep plan of a built-in", figure="seconds", ours="plan", target=0.6),
        Comparison(row="10", what="sweep ls of 100 sweeps", figure="seconds", ours="ls", target=0.6),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
