"""How soon is the default search as good as Ray Tune's ASHA at its end?

Real trainings of the built-in `tabular`, two at a time, five seeds a task. Ray Tune runs sixty random configurations
under ASHAScheduler at grace 2 and factor 3, and keeps its processes (`reuse_actors`); ours runs the default search,
as many trials as it gets through, for at most twice as long. The loss of one training is mostly luck: seeds differ by
more than the best configurations do. So a configuration is as good as its mean loss over three new seeds. Ours is as
good as Ray as soon as its best configuration so far is, by that mean. Times count from the start of the command.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.churn import EXAMPLE, churn_job, run, run_peer
from benchmarks.measuring import Case, Comparison, Figures, Question, main
from benchmarks.peers.tabular import Job
from benchmarks.search.record import write_digits

SEEDS = 5
PATIENCE = 2
"""Ours may take this many times as long as Ray; what is not as good by then counts with all of that time."""
CONFIRMED = (101, 102, 103)
"""The seeds of the trainings that say how good a configuration is."""


def churn() -> Figures:
    """Cross-entropy on the churn example."""
    return _both([replace(churn_job(seed), metric="val_loss", mode="min") for seed in range(SEEDS)])


def digits() -> Figures:
    """Cross-entropy on scikit-learn's digits, in the same space."""
    fixed = {"data": str(write_digits(Path.cwd())), "target": "target", "task": "multiclass", "epochs": 30}
    return _both([replace(churn_job(seed), fixed=fixed, metric="val_loss", mode="min") for seed in range(SEEDS)])


def _both(jobs: list[Job]) -> Figures:
    """Sums over the jobs."""
    totals = {"s": 0.0, "ray_s": 0.0, "found": 0.0}
    for seed, job in enumerate(jobs):
        with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
            os.chdir(directory)
            ray_s, _ = run_peer(job, "benchmarks.peers.ray_tabular", "--reuse")
            best = _mean(job, _winner_of_ray(job))
            found = _ours(job, seed, hours=PATIENCE * ray_s / 3600)
            means = [_mean(job, config) for _, config in found]
            os.chdir("/")
        as_good = next((at for (at, _), mean in zip(found, means, strict=True) if mean <= best), None)
        totals["s"] += PATIENCE * ray_s if as_good is None else as_good
        totals["ray_s"] += ray_s
        totals["found"] += as_good is not None
        shown = "never" if as_good is None else f"after {as_good:.1f} s"
        line = f"seed {seed}: Ray {best:.5f} after {ray_s:.1f} s; ours as good {shown}, at its end {means[-1]:.5f}"
        print(line, file=sys.stderr, flush=True)
    return totals


def _winner_of_ray(job: Job) -> dict[str, Any]:
    reports = [
        json.loads(line) for file in Path("ray_results").rglob("result.json") for line in file.read_text().splitlines()
    ]
    winner: dict[str, Any] = min(reports, key=lambda each: each[job.metric])["config"]["configuration"]
    return winner


def _ours(job: Job, seed: int, *, hours: float) -> list[tuple[float, dict[str, Any]]]:
    """Each configuration that was the best so far, and when, in seconds since the start of the command."""
    from orchestrator.records.load import load

    values = {
        "fixed": job.fixed,
        "objective": {"metric": job.metric, "mode": job.mode},
        "search": {"seed": seed},
        "budget": {"trials": 10_000, "hours": hours},
    }
    changes = [part for key, value in values.items() for part in ("--set", f"{key}={json.dumps(value)}")]
    began = time.time()
    run([sys.executable, "-m", "orchestrator", "launch", str(EXAMPLE), *changes])
    sweep = load(next(Path("results").iterdir()))
    configs = _configs(sweep.trials)
    reports = sweep.metrics.sort_values("reported_at")
    best = reports[job.metric].cummin()
    improved = reports[reports[job.metric].eq(best) & best.ne(best.shift())]
    found: list[tuple[float, dict[str, Any]]] = []
    for row in improved.itertuples():
        if not found or configs[row.trial] != found[-1][1]:
            found.append((row.reported_at.timestamp() - began, configs[row.trial]))
    return found


def _configs(trials: Any) -> dict[int, dict[str, Any]]:
    columns = [name for name in trials.columns if name.startswith("config.")]
    rows = json.loads(trials.set_index("trial")[columns].to_json(orient="index"))
    return {
        int(trial): {name.removeprefix("config."): value for name, value in row.items() if value is not None}
        for trial, row in rows.items()
    }


def _mean(job: Job, config: dict[str, Any]) -> float:
    """The mean over new seeds of the best value of a full training."""
    import torch

    from trainables.builtin import tabular
    from trainables.trial import Trial

    torch.set_num_threads(1)
    values = []
    for seed in CONFIRMED:
        whole = {**config, **job.fixed}
        trial = Trial(config=whole, seed=seed)
        tabular.train(whole, trial)
        values.append(min(report.metrics[job.metric] for report in trial.history))
    return statistics.mean(values)


QUESTION = Question(
    name="quality",
    title="Real trainings until the default search is as good as Ray Tune's ASHA at its end, sum of the seeds",
    cases={"churn": Case(run=churn, repeats=1), "digits": Case(run=digits, repeats=1)},
    comparisons=[
        *(
            Comparison(
                row="17",
                what=f"{task}: default search, until as good as Ray's ASHA",
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
                what=f"{task}: runs that become as good",
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
