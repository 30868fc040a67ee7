"""A bare Ray Tune script: two trials, and nothing else. Run as `python ray_first_report.py <stamps>`."""

import sys
import time
from pathlib import Path

from ray import tune


def train(config):
    """Record the time of the first report."""
    Path(config["stamps"], f"{time.time_ns()}").touch()
    tune.report({"loss": config["x"]})


if __name__ == "__main__":
    tuner = tune.Tuner(
        train,
        param_space={"x": tune.uniform(0, 1), "stamps": sys.argv[1]},
        tune_config=tune.TuneConfig(metric="loss", mode="min", num_samples=2),
        run_config=tune.RunConfig(storage_path=sys.argv[2]),
    )
    tuner.fit()
