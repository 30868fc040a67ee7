"""The churn example by Ray Tune's documentation: `python -m benchmarks.peers.ray_churn <data> <stamp> <threshold>`."""

import sys
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.peers import churn


def objective(config: dict[str, Any], data: str, stamp: str, threshold: float) -> None:
    """One trial."""
    churn.train(
        config,
        data=data,
        stamp=stamp,
        threshold=threshold,
        report=lambda epoch, auroc: tune.report({"val_auroc": auroc}),
    )


if __name__ == "__main__":
    data, stamp, threshold = sys.argv[1:]
    tune.Tuner(
        tune.with_parameters(objective, data=data, stamp=stamp, threshold=float(threshold)),
        tune_config=tune.TuneConfig(
            metric="val_auroc",
            mode="max",
            search_alg=OptunaSearch(space=churn.space, metric="val_auroc", mode="max"),
            scheduler=ASHAScheduler(max_t=churn.EPOCHS, grace_period=churn.GRACE, reduction_factor=churn.FACTOR),
            num_samples=churn.TRIALS,
        ),
        run_config=tune.RunConfig(storage_path=str(Path("ray_results").resolve())),
    ).fit()
