"""How long does it take to go on with a sweep of 5,000 trials × 50 reports, until the first new trial trains?

Counted from the call of the resume, the start of Ray included, imports done, to the first report of a new trial. Ours
is told to have one trial more. Ray Tune cannot extend a sweep that has ended: its sweep was interrupted with 5,000
trials ended and four not, and is restored. An empty launch of ours is the same without the 5,000 trials.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.measuring import Case, Comparison, Figures, Question, in_fresh_process, main

TRIALS = 5_000
REPORTS = 50


def ours() -> Figures:
    """Time `sweep resume --trials 5001`, and then an empty launch in its own process."""
    import ray.tune  # noqa: F401

    from benchmarks.ours import CPUS
    from benchmarks.recorded import record, train
    from cluster.engine import Embedded
    from orchestrator.core.extend import Extension
    from orchestrator.driver.resume import resume
    from orchestrator.records.load import load

    paths = record(Path("results"), TRIALS, REPORTS)
    before = load(paths.root).metrics
    began = time.time()
    resume(paths, extension=Extension(trials=TRIALS + 1), train=train, engine=Embedded(cpus=CPUS, gpus=0))
    seconds = _first_after(began, load(paths.root).metrics["at"])
    sweep = load(paths.root)
    assert len(sweep.trials) == TRIALS + 1
    assert (sweep.trials["state"] == "completed").all()
    plain = [name for name in before if name != "extra"]
    assert sweep.metrics.iloc[: TRIALS * REPORTS][plain].equals(before[plain])
    assert len(sweep.metrics) == (TRIALS + 1) * REPORTS
    empty = in_fresh_process("benchmarks.resuming", "--case", "empty")["seconds"]
    return {"seconds": seconds, "empty": empty, "beyond": seconds - empty}


def empty() -> Figures:
    """Time a launch of one trial."""
    import ray.tune  # noqa: F401

    from benchmarks.ours import CPUS
    from benchmarks.recorded import source
    from cluster.engine import Embedded
    from orchestrator.driver.launch import launch
    from orchestrator.records.load import load

    began = time.time()
    paths = launch(source(1, REPORTS), results=Path("results"), engine=Embedded(cpus=CPUS, gpus=0))
    return {"seconds": _first_after(began, load(paths.root).metrics["at"])}


def ray() -> Figures:
    """Time `Tuner.restore`, with process reuse."""
    import pandas
    from ray import tune

    from benchmarks.peers.ray_experiment import UNFINISHED, grown, start_ray, train

    root = grown(Path("ray_results"), TRIALS, unfinished=True)
    began = time.time()
    start_ray()
    results = tune.Tuner.restore(str(root.resolve()), trainable=train).fit()
    assert len(results) == TRIALS + UNFINISHED
    assert not results.errors
    frames = [result.metrics_dataframe for result in results]
    assert all(len(frame) == REPORTS for frame in frames)
    return {"seconds": _first_after(began, pandas.concat(frames)["at"])}


def _first_after(began: float, reported: Any) -> float:
    return float(reported[reported > began].min()) - began


WHAT = "resume of 5,000 × 50 to the first new trial"

QUESTION = Question(
    name="resuming",
    title=WHAT,
    cases={"ray": Case(run=ray, repeats=2), "ours": Case(run=ours, repeats=3), "empty": Case(run=empty, repeats=1)},
    comparisons=[
        Comparison(row="8", what=WHAT, figure="seconds", peer="ray", target=3),
        Comparison(row="8", what=f"{WHAT}, beyond an empty launch", figure="beyond", target=5),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
