"""A trainable with ranks, trained by DDP with gloo, and the losses that it must have: those of one process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

EPOCHS = 6

TRAIN = """
import json, os, signal, time
import psutil
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

def note(trial, **facts):
    with (trial.directory / f"{trial.rank}.jsonl").open("a") as file:
        print(json.dumps({"pid": os.getpid(), **facts}), file=file)

def train(config, trial):
    assert os.environ["RANK"] == str(trial.rank) and os.environ["WORLD_SIZE"] == str(trial.world_size)
    dist.init_process_group("gloo")
    data = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))[trial.rank :: trial.world_size]
    target = data.sum(1, keepdim=True)
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 1)
    model = DistributedDataParallel(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=config["lr"], momentum=0.9)
    restored = trial.restore()
    if restored is not None:
        net.load_state_dict(restored["net"])
        optimizer.load_state_dict(restored["optimizer"])
    first = 1 if restored is None else restored["step"] + 1
    names = ("MASTER_ADDR", "LOCAL_RANK", "GROUP_RANK")
    note(trial, first=first, environ={name: os.environ[name] for name in names})
    step = 0
    try:
        for step in range(first, config["epochs"] + 1):
            loss = torch.nn.functional.mse_loss(model(data), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            mean = loss.detach() / trial.world_size
            dist.all_reduce(mean)
            trial.save(step=step, net=net, optimizer=optimizer)
            if trial.rank == config["failing"] and step == 3 and first == 1:
                time.sleep(0.5)  # the checkpoint of step 2 is written
                exec(config["fault"])
            if trial.rank == 0 or config["all_report"]:
                trial.report(step=step, loss=mean.item())
            if step == config["hold"] and first == 1:
                note(trial, holds=step)
                time.sleep(600)  # until it is killed
    finally:
        note(trial, last=step)
"""

CONFIG: Mapping[str, Any] = {"lr": 0.01, "failing": -1, "fault": "", "all_report": True, "hold": 0}
"""What the trainable reads besides the epochs."""


def noted(trial: Path) -> dict[int, list[dict[str, Any]]]:
    """What each rank has noted in the trial's directory, by rank."""
    files = sorted(trial.glob("*.jsonl"))
    return {int(file.stem): [json.loads(line) for line in file.read_text().splitlines()] for file in files}


def alone(lr: float, epochs: int = EPOCHS) -> list[float]:
    """The losses of one process."""
    import torch

    data = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    target = data.sum(1, keepdim=True)
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    losses = []
    for _ in range(epochs):
        loss = torch.nn.functional.mse_loss(net(data), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
