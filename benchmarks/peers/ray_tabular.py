"""The job by Ray Tune's documentation: `python -m benchmarks.peers.ray_tabular [--reuse]`.

With `--reuse`, processes serve trial after trial (`reuse_actors`), which is Ray Tune's quickest way.
"""

import sys
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.schedulers import ASHAScheduler

from benchmarks.peers import tabular
from benchmarks.peers.tabular import Job, read_job


def objective(config: dict[str, Any], job: Job, scores: str) -> None:
    """Train one trial."""
    tabular.train(
        job, config["configuration"], scores=scores, report=lambda epoch, value: tune.report({job.metric: value})
    )


if __name__ == "__main__":
    job = read_job()
    tune.Tuner(
        tune.with_parameters(objective, job=job, scores=str(Path(tabular.SCORES).resolve())),
        param_space={"configuration": tune.grid_search(list(job.configurations))},
        tune_config=tune.TuneConfig(
            metric=job.metric,
            mode=job.mode,
            scheduler=ASHAScheduler(max_t=job.epochs, grace_period=tabular.GRACE, reduction_factor=tabular.FACTOR),
            reuse_actors="--reuse" in sys.argv,
        ),
        run_config=tune.RunConfig(storage_path=str(Path("ray_results").resolve())),
    ).fit()
