"""The churn example by Ray Tune's documentation: `python -m benchmarks.peers.ray_churn <data>`."""

import sys
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.schedulers import ASHAScheduler

from benchmarks.peers import churn


def objective(config: dict[str, Any], data: str, scores: str) -> None:
    """Train one trial."""
    churn.train(
        config["configuration"],
        data=data,
        scores=scores,
        report=lambda epoch, auroc: tune.report({"val_auroc": auroc}),
    )


if __name__ == "__main__":
    tune.Tuner(
        tune.with_parameters(objective, data=sys.argv[1], scores=str(Path(churn.SCORES).resolve())),
        param_space={"configuration": tune.grid_search(churn.configurations())},
        tune_config=tune.TuneConfig(
            metric="val_auroc",
            mode="max",
            scheduler=ASHAScheduler(max_t=churn.EPOCHS, grace_period=churn.GRACE, reduction_factor=churn.FACTOR),
        ),
        run_config=tune.RunConfig(storage_path=str(Path("ray_results").resolve())),
    ).fit()
