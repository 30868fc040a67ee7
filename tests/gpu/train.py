"""What the checks train: one function, whose configuration says what it does with the device."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from trainables.builtin import vision
from trainables.trial import Trial


def train(config: dict[str, Any], trial: Trial) -> None:
    """Do what ``config["what"]`` says, on the trial's device."""
    does = {"hold": hold, "multiply": multiply, "autocast": autocast, "images": images, "ranks": ranks}
    does[config["what"]](config, trial)


def hold(config: dict[str, Any], trial: Trial) -> None:
    """Hold `gb` of memory, and leave it to the process to free it."""
    kept = torch.empty(int(config["gb"] * 1e9 / 4), device=trial.device)
    kept.fill_(1.0)
    for step in (1, 2, 3):
        trial.report(step=step, loss=kept[0])
        time.sleep(config.get("pause", 0.0))


def multiply(config: dict[str, Any], trial: Trial) -> None:
    """Keep the device busy for `seconds`."""
    matrix = torch.randn(config["size"], config["size"], device=trial.device)
    until, step = time.monotonic() + config["seconds"], 0
    while time.monotonic() < until:
        for _ in range(10):
            matrix = torch.tanh(matrix @ matrix)
        step += 1
        trial.report(step=step, loss=matrix.mean())


def autocast(config: dict[str, Any], trial: Trial) -> None:
    """Train a network in bfloat16, whose dropout draws from the device's random generator; saved at each step."""
    model = nn.Sequential(nn.Linear(32, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 1)).to(trial.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    first = 1
    state = trial.restore()
    if state is not None:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"] + 1
    x = torch.linspace(-1, 1, 32 * 512, device=trial.device).reshape(512, 32)
    y = x.square().sum(1, keepdim=True)
    for step in range(first, config["steps"] + 1):
        with torch.autocast(trial.device.partition(":")[0], dtype=torch.bfloat16):
            loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        trial.save(step=step, model=model, optimizer=optimizer)
        trial.report(step=step, loss=loss)
        if state is None and step == config.get("dies_at"):
            os._exit(3)


def images(config: dict[str, Any], trial: Trial) -> None:
    """Train the built-in `vision` on the digits of the examples, in the precision that it chooses for the device."""
    digits = Path(__file__).parents[2] / "examples" / "data" / "digits.npz"
    vision.train({"data": digits, "size": 8, "width": 8, "depth": 1, "augment": "crop", **config["with"]}, trial)


def ranks(config: dict[str, Any], trial: Trial) -> None:
    """Two processes that share the device, and sum a tensor over both."""
    store = trial.directory / "store"
    torch.multiprocessing.spawn(_rank, (str(store), trial.device), nprocs=2)
    trial.report(step=1, loss=torch.load(f"{store}.pt"))


def _rank(rank: int, store: str, device: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    total = torch.full((1000,), float(rank + 1), device=device)
    dist.all_reduce(total)
    if rank == 0:
        torch.save(total.mean().cpu(), f"{store}.pt")
    dist.destroy_process_group()
