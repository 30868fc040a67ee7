"""How long does it take to have 5,000 trials and their 250,000 reports in pandas?

Ours are the two data frames of ``load("results/sweep")``. Ray Tune's are read in two ways: as its guide shows, by
restoring the Tuner, its data frame of trials, and the data frame of each trial's reports (which nobody has joined to
one yet); and by ExperimentAnalysis on the directory alone. Imports are done before, the files were just written.
"""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.measuring import Case, Comparison, Figures, Question, main

TRIALS = 5_000
REPORTS = 50


def ours() -> Figures:
    """Read our Parquet files."""
    import pandas  # noqa: F401

    from benchmarks.recorded import record
    from orchestrator.records.load import load

    paths = record(Path("results"), TRIALS, REPORTS)
    began = time.perf_counter()
    sweep = load(paths.root)
    trials, metrics = sweep.trials, sweep.metrics
    seconds = time.perf_counter() - began
    assert len(trials) == TRIALS
    assert (trials["state"] == "completed").all()
    assert len(metrics) == TRIALS * REPORTS
    assert (metrics.groupby("trial")["loss"].count() == REPORTS).all()
    return {"seconds": seconds}


def ray_tuner() -> Figures:
    """Read Ray's files as "Analyzing Tune Experiment Results" in Ray's user guide does."""
    from ray import tune

    from benchmarks.peers.ray_experiment import grown, train

    root = grown(Path("ray_results"), TRIALS)
    began = time.perf_counter()
    results = tune.Tuner.restore(str(root.resolve()), trainable=train).get_results()
    trials = results.get_dataframe()
    metrics = [result.metrics_dataframe for result in results]
    seconds = time.perf_counter() - began
    assert trials["trial_id"].nunique() == TRIALS
    assert len(metrics) == TRIALS
    assert all(len(frame) == REPORTS and frame["loss"].notna().all() for frame in metrics)
    return {"seconds": seconds}


def ray_analysis() -> Figures:
    """Read Ray's files with ExperimentAnalysis, without the Tuner."""
    from ray.tune import ExperimentAnalysis

    from benchmarks.peers.ray_experiment import grown

    root = grown(Path("ray_results"), TRIALS)
    began = time.perf_counter()
    analysis = ExperimentAnalysis(str(root.resolve()))
    trials, metrics = analysis.dataframe(), analysis.trial_dataframes
    seconds = time.perf_counter() - began
    assert trials["trial_id"].nunique() == len(metrics) == TRIALS
    assert all(len(frame) == REPORTS and frame["loss"].notna().all() for frame in metrics.values())
    return {"seconds": seconds}


WHAT = "trials and metrics of 5,000 × 50 in pandas"

QUESTION = Question(
    name="reading",
    title=WHAT,
    cases={
        "ray_tuner": Case(run=ray_tuner, repeats=2),
        "ray_analysis": Case(run=ray_analysis, repeats=2),
        "ours": Case(run=ours),
    },
    comparisons=[
        Comparison(row="7", what=WHAT, figure="seconds", peer="ray_tuner", target=20),
        Comparison(row="7", what=WHAT, figure="seconds", peer="ray_analysis", target=20),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
