"""Ray Tune: with its defaults, and with every setting that makes it quicker."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CPUS = 2

FASTER = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no JSON, CSV and TensorBoard files
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # the experiment's state is written at its end only
    "TUNE_MAX_PENDING_TRIALS_PG": str(CPUS),  # no more trials are staged than can run
    "TUNE_WARN_SLOW_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "1000000",
    "RAY_AIR_NEW_OUTPUT": "0",
}


def fit(train: Callable[..., Any], space: dict[str, Any], trials: int, *, tuned: bool, cpu: float = 1) -> float:
    """Run so many trials of one CPU each, two at a time; returns the seconds of `Tuner.fit()`.

    Args:
        train: As Ray Tune wants it.
        space: Its param_space.
        trials: How many.
        tuned: With processes that serve trial after trial, without log files and without output; else as it comes.
        cpu: CPUs of a trial, if not one.
    """
    _, seconds = run(train, space, trials, tuned=tuned, cpu=cpu)
    import ray

    ray.shutdown()
    return seconds


def run(
    train: Callable[..., Any], space: dict[str, Any], trials: int, *, tuned: bool, cpu: float = 1
) -> tuple[Any, float]:
    """Start Ray and run such trials; returns the results and the seconds of `Tuner.fit()`."""
    if tuned:
        os.environ |= FASTER
    import ray
    from ray import tune

    ray.init(address="local", num_cpus=CPUS, include_dashboard=False, log_to_driver=False)
    storage = str(Path("ray_results").resolve())
    tuner = tune.Tuner(
        tune.with_resources(train, {"cpu": cpu}),
        param_space=space,
        tune_config=tune.TuneConfig(
            metric="loss", mode="min", num_samples=trials, reuse_actors=tuned or None, max_concurrent_trials=CPUS
        ),
        run_config=tune.RunConfig(storage_path=storage, verbose=0) if tuned else tune.RunConfig(storage_path=storage),
    )
    began = time.perf_counter()
    results = tuner.fit()
    seconds = time.perf_counter() - began
    assert len(results) == trials
    assert not results.errors
    return results, seconds
