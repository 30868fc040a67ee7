"""How busy are twelve GPUs with trials of one to three seconds?

600 trials sleep on twelve pretended GPUs. From the moment when all twelve are busy for the first time until the last
trial begins, the seconds in which the trials trained are summed. A trial trains up to its report, at a time stamped by
its worker, and for as long before it as the worker says; none of this is the driver's view. At best the sum is twelve
times the span.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from benchmarks.measuring import Case, Comparison, Figures, Question, main

TRIALS = 600
GPUS = 12


def train(config: dict[str, Any], trial: Any) -> None:
    """A trial that sleeps, which to the driver looks like one busy on a GPU."""
    time.sleep(random.Random(config["x"]).uniform(1, 3))
    trial.report(step=1, loss=config["x"])


def ours() -> Figures:
    """Run the sweep with complete records."""
    import ray.tune  # noqa: F401  # its import is no part of the question

    from benchmarks.ours import random_search, source_of
    from cluster.engine import Embedded
    from orchestrator.driver.launch import launch
    from orchestrator.records.load import load

    spec = random_search(TRIALS) | {"resources": {"cpu": 1, "gpu": 1}}
    sweep = load(launch(source_of(train, spec), results=Path("results"), engine=Embedded(cpus=GPUS, gpus=GPUS)).root)
    assert sweep.trials["state"].tolist() == ["completed"] * TRIALS
    assert sweep.trials["gpu_ids"].map(lambda ids: ids[0]).nunique() == GPUS
    ended = sweep.metrics["reported_at"].map(lambda at: at.timestamp())
    began = ended - sweep.metrics["train_s"]
    first = min(at for at in began if ((began <= at) & (at < ended)).sum() == GPUS)
    last = began.max()
    busy_s = (ended.clip(upper=last) - began.clip(lower=first)).clip(lower=0).sum()
    return {"percent": float(100 * busy_s / (GPUS * (last - first))), "span_s": float(last - first)}


QUESTION = Question(
    name="utilisation",
    title="600 trials of 1 to 3 s on twelve GPUs",
    cases={"ours": Case(run=ours, repeats=1)},
    comparisons=[
        Comparison(row="16", what="busy GPUs, of twelve", figure="percent", unit="%", more=True, target=90),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
