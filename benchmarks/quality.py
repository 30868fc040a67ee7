"""How long does the default search take to find what Ray Tune's ASHA has found at its end?

Real trainings of the built-in `tabular`, two at a time, five seeds a task. Ray Tune runs sixty random configurations
under ASHAScheduler at grace 2 and factor 3, and keeps its processes (`reuse_actors`). Ours runs with the default search
and scheduler until a trial is as good (`budget.target`). Times are those of whole processes, from the start of Python.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.churn import EXAMPLE, churn_job, run, run_peer
from benchmarks.measuring import Case, Comparison, Figures, Question, main
from benchmarks.peers.tabular import Job
from benchmarks.search.record import write_digits

SEEDS = 5
TRIALS = 300
"""More than ours needs; a run that uses them up has not found it."""


def churn() -> Figures:
    """Area under the ROC curve on the churn example."""
    return _both([churn_job(seed) for seed in range(SEEDS)])


def digits() -> Figures:
    """Cross-entropy on scikit-learn's digits, in the same space."""
    fixed = {"data": str(write_digits(Path.cwd())), "target": "target", "task": "multiclass", "epochs": 30}
    return _both([replace(churn_job(seed), fixed=fixed, metric="val_loss", mode="min") for seed in range(SEEDS)])


def _both(jobs: list[Job]) -> Figures:
    totals = {"s": 0.0, "ray_s": 0.0, "found": 0.0}
    for seed, job in enumerate(jobs):
        with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
            os.chdir(directory)
            ray_s, scores = run_peer(job, "benchmarks.peers.ray_tabular", "--reuse")
            seconds, found = _ours(job, seed, job.best(*scores))
            os.chdir("/")
        totals["s"] += seconds
        totals["ray_s"] += ray_s
        totals["found"] += found
        print(f"seed {seed}: {seconds:.1f} s, Ray {ray_s:.1f} s", file=sys.stderr, flush=True)
    return totals


def _ours(job: Job, seed: int, target: float) -> tuple[float, bool]:
    from orchestrator.records.load import load

    values = {
        "fixed": job.fixed,
        "objective": {"metric": job.metric, "mode": job.mode},
        "search": {"seed": seed},
        "budget": {"trials": TRIALS, "target": target},
    }
    changes = [part for key, value in values.items() for part in ("--set", f"{key}={json.dumps(value)}")]
    seconds = run([sys.executable, "-m", "orchestrator", "launch", str(EXAMPLE), *changes])
    found = set(load(next(Path("results").iterdir())).trials["objective"].dropna())
    return seconds, job.best(target, *found) in found


QUESTION = Question(
    name="quality",
    title="Real trainings until the default has found what Ray Tune's ASHA has found, sum of five seeds",
    cases={"churn": Case(run=churn, repeats=1), "digits": Case(run=digits, repeats=1)},
    comparisons=[
        *(
            Comparison(
                row="17",
                what=f"{task}: default search to the final quality of Ray's ASHA",
                figure="s",
                ours=task,
                peer=task,
                peer_figure="ray_s",
                peer_name="ray, reused processes",
                target=1 / 0.7,
            )
            for task in ("churn", "digits")
        ),
        *(
            Comparison(
                row="17",
                what=f"{task}: runs that reach it",
                figure="found",
                unit=f"of {SEEDS}",
                ours=task,
                more=True,
                target=SEEDS,
            )
            for task in ("churn", "digits")
        ),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
