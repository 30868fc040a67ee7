"""How long does the churn example take to a network of a certain quality?

From the start of the process until a trial reports a validation AUROC of 0.845 or more, which a good configuration
reaches and most do not. The space, the network, its training, the epochs and the rungs are the same; each search draws
anew in every run, by its own TPE.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.measuring import Case, Comparison, Figures, Question, main

EXAMPLE = Path(__file__).parents[1] / "examples" / "02_churn.yaml"
DATA = EXAMPLE.parent / "data" / "telco_churn.csv"
THRESHOLD = 0.845
PATIENCE_S = 600.0


def ours() -> Figures:
    """The example as it is, to its end; when each report was made is in its records."""
    from orchestrator.records.load import load

    seed = random.SystemRandom().randrange(10_000)
    command = [sys.executable, "-m", "orchestrator.cli", "launch", str(EXAMPLE), "--set", f"search.seed={seed}"]
    began = time.time()
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    whole = time.time() - began
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    metrics = load(next(Path("results").iterdir())).metrics
    good = metrics[metrics["val_auroc"] >= THRESHOLD]
    reached = good["reported_at"].min().timestamp() - began if len(good) else whole
    return {"s": reached, "reached": float(len(good) > 0), "whole_s": whole, "best": metrics["val_auroc"].max()}


def ray_default() -> Figures:
    """Ray Tune."""
    return _until_good("benchmarks.peers.ray_churn")


def optuna() -> Figures:
    """Optuna in two processes."""
    return _until_good("benchmarks.peers.optuna_churn")


def _until_good(module: str) -> Figures:
    """Run the script until it has got there, or is through, and end it."""
    stamp = Path("stamp").resolve()
    began = time.time()
    process = _started([sys.executable, "-m", module, str(DATA), str(stamp), str(THRESHOLD)])
    try:
        while not stamp.exists() and process.poll() is None:
            assert time.time() - began < PATIENCE_S, f"{module} is not there after {PATIENCE_S:g} s"
            time.sleep(0.05)
        ended = time.time()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    reached = stamp.exists()
    assert reached or process.returncode == 0, Path("output.txt").read_text()[-3000:]
    return {"s": (float(stamp.read_text() or ended) if reached else ended) - began, "reached": float(reached)}


def _started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    with Path("output.txt").open("wb") as output:
        return subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)


QUESTION = Question(
    name="churn",
    title="The churn example, to a validation AUROC of 0.845",
    cases={
        "ray_default": Case(run=ray_default, repeats=3),
        "optuna": Case(run=optuna, repeats=3),
        "ours": Case(run=ours, repeats=3),
    },
    comparisons=[
        Comparison(row="12", what="to a validation AUROC of 0.845", figure="s", peer="ray_default", target=5),
        Comparison(row="12", what="to a validation AUROC of 0.845", figure="s", peer="optuna", target=1.5),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
