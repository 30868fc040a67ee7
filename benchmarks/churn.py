"""How long does the churn example take?

All three tools run the same search: the same sixty random configurations of the example's space in the same order,
with successive halving at the same rungs, two trials at a time. So all reach the same quality, and luck plays no
part. The time is that of the whole process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measuring import Case, Comparison, Figures, Question, main
from benchmarks.peers.tabular import FACTOR, GRACE, SCORES, Job

EXAMPLE = Path(__file__).parents[1] / "examples" / "02_churn.yaml"
TRIALS = 60
GOOD = 0.843
"""The AUROC that each search must reach."""


def configurations(seed: int) -> list[dict[str, object]]:
    """Sixty random configurations of the example's space."""
    from orchestrator.core.search.random import RandomSearch
    from orchestrator.spec import read_spec

    space = read_spec(EXAMPLE).parameter_space()
    search = RandomSearch(space, seed)
    found = [search.ask(number, space.feasible) for number in range(TRIALS)]
    return [config for config in found if config is not None]


def churn_job(seed: int) -> Job:
    """The example's search, for a peer."""
    from orchestrator.spec import read_spec

    fixed = {**read_spec(EXAMPLE).fixed, "data": str(EXAMPLE.parent / "data" / "telco_churn.csv")}
    return Job(fixed=fixed, metric="val_auroc", mode="max", configurations=configurations(seed))


def ours() -> Figures:
    """Run the example with the list of configurations."""
    from orchestrator.records.load import load

    search = json.dumps({"method": "list", "configs": configurations(seed=0)})
    scheduler = json.dumps({"method": "asha", "grace_period": GRACE, "reduction_factor": FACTOR})
    changes = ["--set", f"search={search}", "--set", f"scheduler={scheduler}"]
    seconds = run([sys.executable, "-m", "orchestrator", "launch", str(EXAMPLE), *changes])
    sweep = load(next(Path("results").iterdir()))
    assert len(sweep.trials) == TRIALS
    assert sweep.trials["objective"].max() >= GOOD
    return {"s": seconds, "best": float(sweep.trials["objective"].max()), "epochs": float(len(sweep.metrics))}


def ray_default() -> Figures:
    """Run the search with Ray Tune."""
    return _peer("benchmarks.peers.ray_tabular")


def optuna() -> Figures:
    """Run the search with Optuna in two processes."""
    return _peer("benchmarks.peers.optuna_tabular")


def _peer(module: str) -> Figures:
    seconds, scores = run_peer(churn_job(seed=0), module)
    assert max(scores) >= GOOD
    return {"s": seconds, "best": max(scores), "epochs": float(len(scores))}


def run_peer(job: Job, module: str, *options: str) -> tuple[float, list[float]]:
    """Run a peer in the working directory: the seconds, and the best of a trial at each report."""
    job.write()
    seconds = run([sys.executable, "-m", module, *options])
    return seconds, [float(line) for line in Path(SCORES).read_text().splitlines()]


def run(command: list[str]) -> float:
    """The seconds that a command takes, which must succeed."""
    began = time.time()
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    return time.time() - began


QUESTION = Question(
    name="churn",
    title="The churn example, sixty given configurations under successive halving",
    cases={
        "ray_default": Case(run=ray_default, repeats=1),
        "optuna": Case(run=optuna, repeats=3),
        "ours": Case(run=ours, repeats=3),
    },
    comparisons=[
        Comparison(row="12", what="the churn search to its end", figure="s", peer="ray_default", target=5),
        Comparison(row="12", what="the churn search to its end", figure="s", peer="optuna", target=1.5),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
