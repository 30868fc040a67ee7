"""How much does a trial of two ranks cost that does next to nothing?

Each trial starts a process group of two ranks, has its gradients averaged by DDP, and reports twice. Whole fits are
timed, from a running Ray. The peer is Ray's documented way: a Tune function whose TorchTrainer has two workers
(https://docs.ray.io/en/latest/train/user-guides/hyperparameter-optimization.html).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.measuring import Case, Comparison, Figures, Question, main

TRIALS = 8
RANKS = 2
CPU = 0.4  # of a rank: two CPUs hold two trials, and the two processes of Ray Tune that start the trainers


def step(model: Any, lr: float) -> float:
    """One step of a model that averages its gradients over the ranks."""
    import torch

    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    inputs = torch.ones(8, 4)
    loss = ((model(inputs) - inputs.sum(1, keepdim=True)) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss)


def train(config: dict[str, Any], trial: Any) -> None:
    """Our trainable, run by each rank."""
    import torch
    from torch import distributed, nn

    distributed.init_process_group("gloo")
    model = nn.parallel.DistributedDataParallel(nn.Linear(4, 1))
    torch.manual_seed(0)
    for number in (1, 2):
        trial.report(step=number, loss=step(model, config["x"]))
    distributed.destroy_process_group()


def worker(config: dict[str, Any]) -> None:
    """What each worker of Ray's trainer runs."""
    import ray.train
    import ray.train.torch
    from torch import nn

    model = ray.train.torch.prepare_model(nn.Linear(4, 1))
    for _ in (1, 2):
        ray.train.report({"loss": step(model, config["x"])})


def train_ray(config: dict[str, Any]) -> None:
    """Ray Tune's trainable."""
    from ray import train as ray_train
    from ray.train.torch import TorchTrainer
    from ray.tune.integration.ray_train import TuneReportCallback

    TorchTrainer(
        worker,
        train_loop_config=config,
        scaling_config=ray_train.ScalingConfig(num_workers=RANKS, resources_per_worker={"CPU": CPU}),
        run_config=ray_train.RunConfig(
            name=f"x-{config['x']}", storage_path=str(Path("trained").resolve()), callbacks=[TuneReportCallback()]
        ),
    ).fit()


def ours() -> Figures:
    """Run eight trials of two ranks, with complete records."""
    from benchmarks.ours import fit, random_search

    seconds, sweep = fit(train, random_search(TRIALS) | {"resources": {"workers": RANKS, "cpu": CPU, "gpu": 0}})
    assert len(sweep.trials) == TRIALS
    assert len(sweep.metrics) == 2 * TRIALS
    return {"s": seconds / TRIALS}


def ray_default() -> Figures:
    """Run Ray Tune and Ray Train as they come."""
    return {"s": _ray(tuned=False)}


def ray_tuned() -> Figures:
    """The same with Ray Tune's fastest settings."""
    return {"s": _ray(tuned=True)}


def _ray(*, tuned: bool) -> float:
    os.environ["RAY_TRAIN_V2_ENABLED"] = "1"
    from ray import tune

    from benchmarks.peers.ray_tune import fit

    return fit(train_ray, {"x": tune.uniform(0, 1)}, TRIALS, tuned=tuned, cpu=0.1) / TRIALS


QUESTION = Question(
    name="ranks",
    title="A trial of two ranks",
    cases={
        "ray_default": Case(run=ray_default, repeats=2),
        "ray_tuned": Case(run=ray_tuned, repeats=2),
        "ours": Case(run=ours, repeats=3),
    },
    comparisons=[
        Comparison(row="18", what="a trial of two ranks, records included", figure="s", peer="ray_default", target=2),
        Comparison(row="18", what="a trial of two ranks, records included", figure="s", peer="ray_tuned", target=2),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
