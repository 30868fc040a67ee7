"""How fast are reports, until all of them are in Parquet? Two trials of 20,000 reports each, side by side.

Reports a second are counted from the start of the first trial to the end of the fit; of ours all are in Parquet by
then, of Ray Tune's none. The whole launch counts from before the start of Ray, imports done, to the same end.
All run all of the reports; nothing is extrapolated.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.measuring import Case, Comparison, Figures, Question, main

TRIALS = 2
REPORTS = 20_000


def train(config: dict[str, Any], trial: Any) -> None:
    """Our trainable."""
    for step in range(1, REPORTS + 1):
        trial.report(step=step, loss=config["x"] / step)


def train_ray(config: dict[str, Any]) -> None:
    """Ray Tune's trainable, which also records its start time."""
    from ray import tune

    began = time.time()
    for step in range(1, REPORTS + 1):
        tune.report({"step": step, "loss": config["x"] / step, "began": began})


def ours() -> Figures:
    """Run ours with complete records."""
    import ray.tune  # noqa: F401

    from benchmarks.ours import CPUS, random_search, source_of
    from cluster.engine import Present
    from cluster.local.embedded import embedded
    from orchestrator.driver.launch import launch
    from orchestrator.records.load import load

    source = source_of(train, random_search(TRIALS))
    began = time.time()
    with embedded(cpus=CPUS, gpus=0):
        paths = launch(source, results=Path("results"), engine=Present())
        ended = time.time()
    sweep = load(paths.root)
    assert (sweep.metrics.groupby("trial")["step"].nunique() == REPORTS).all()
    assert len(sweep.metrics) == TRIALS * REPORTS
    return _figures(began, sweep.trials["started_at"].min().timestamp(), ended)


def ray_default() -> Figures:
    """Run Ray Tune with its defaults: JSON, CSV and TensorBoard files."""
    return _ray(tuned=False)


def ray_tuned() -> Figures:
    """Run Ray Tune without log files."""
    return _ray(tuned=True)


def _ray(*, tuned: bool) -> Figures:
    from ray import tune

    from benchmarks.peers.ray_tune import run

    began = time.time()
    results, _ = run(train_ray, {"x": tune.uniform(0, 1)}, TRIALS, tuned=tuned)
    ended = time.time()
    assert all(result.metrics["training_iteration"] == REPORTS for result in results)
    return _figures(began, min(result.metrics["began"] for result in results), ended)


def _figures(began: float, first: float, ended: float) -> Figures:
    return {"rate": TRIALS * REPORTS / (ended - first), "whole": ended - began}


RATE = "reports a second from the first trial's start"
WHOLE = "whole launch of 2 × 20,000 reports"

QUESTION = Question(
    name="reports",
    title="2 × 20,000 reports, all in Parquet at the end",
    cases={
        "ray_default": Case(run=ray_default, repeats=1),
        "ray_tuned": Case(run=ray_tuned, repeats=2),
        "ours": Case(run=ours),
    },
    comparisons=[
        Comparison(row="4a", what=RATE, figure="rate", unit="/s", peer="ray_default", more=True, target=100),
        Comparison(row="4a", what=RATE, figure="rate", unit="/s", peer="ray_tuned", more=True, target=40),
        Comparison(row="4b", what=WHOLE, figure="whole", peer="ray_default", target=40),
        Comparison(row="4b", what=WHOLE, figure="whole", peer="ray_tuned", target=12),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
