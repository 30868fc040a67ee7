"""How accurate are forecasts? Sweeps of sleeping trials, launched as commands, against their forecasts.

All run on the cores of this machine: twelve slots are twelve processes on two cores, which sleep in parallel but
start one after the other.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import Case, Comparison, Figures, Question, main

TRAIN = """
import time

def train(config, trial):
    for step in range(1, config["epochs"] + 1):
        time.sleep(config["sleep"])
        trial.report(step=step, loss=config["x"])
"""


def sweep(*, slots: int, trials: int, steps: int, step_s: float, scheduler: str = "none") -> Figures:
    """Forecast a sweep and run it."""
    from orchestrator.records.load import load
    from orchestrator.simulate.costs import measured_costs
    from orchestrator.simulate.forecast import Pace, forecast_sweep
    from orchestrator.spec import read_spec
    from orchestrator.worker.messages import heartbeat

    Path("train.py").write_text(TRAIN)
    Path("spec.yaml").write_text(
        f"""
trainable: train.py:train
fixed: {{epochs: {steps}, sleep: {step_s}}}
space: {{x: {{uniform: [0, 1]}}}}
objective: {{metric: loss}}
search: {{method: random}}
scheduler: {{method: {scheduler}}}
budget: {{trials: {trials}}}
resources: {{cpu: 1, gpu: 0}}
"""
    )
    seen = forecast_sweep(
        read_spec(Path("spec.yaml")),
        None,
        slots=slots,
        paces=[Pace(step_s=step_s)],
        costs=measured_costs("random", heartbeat_s=heartbeat(slots)),
        starts_at_once=os.cpu_count(),
    )
    assert seen is not None
    command = [
        str(Path(sys.executable).with_name("sweep")),
        "launch",
        "spec.yaml",
        "--name",
        "real",
        "--cpus",
        str(slots),
    ]
    began = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    real_s = time.perf_counter() - began
    found = load("results/real")
    assert len(found.trials) == trials
    return {
        "real_s": real_s,
        "forecast_s": seen.seconds.middle,
        "low_s": seen.seconds.low,
        "high_s": seen.seconds.high,
        "real_steps": float(found.trials["last_step"].sum()),
        "forecast_steps": seen.steps.middle,
        "real_busy": float(found.trials["train_s"].sum()) / slots / real_s,
        "forecast_busy": seen.busy(slots),
        "off_percent": abs(seen.seconds.middle / real_s - 1) * 100,
    }


SWEEPS: dict[str, dict[str, Any]] = {
    "2 slots, 1,000 trials of 50 ms": {"slots": 2, "trials": 1_000, "steps": 1, "step_s": 0.05},
    "12 slots, 2,000 trials of 100 ms": {"slots": 12, "trials": 2_000, "steps": 1, "step_s": 0.1},
    "12 slots, 240 trials of 3 s": {"slots": 12, "trials": 240, "steps": 3, "step_s": 1.0},
    "12 slots, 400 trials of up to 5.4 s under ASHA": {
        "slots": 12,
        "trials": 400,
        "steps": 27,
        "step_s": 0.2,
        "scheduler": "asha",
    },
}


def _case(settings: dict[str, Any]) -> Callable[[], Figures]:
    return partial(sweep, **settings)


QUESTION = Question(
    name="forecasts",
    title="What `sweep plan` forecasts, and what the clock says then",
    cases={name: Case(run=_case(settings), repeats=1) for name, settings in SWEEPS.items()},
    comparisons=[
        Comparison(row="15", what=f"forecast of {name}, off by", figure="off_percent", unit="%", ours=name, target=15)
        for name in SWEEPS
    ],
)

if __name__ == "__main__":
    main(QUESTION)
