"""Sweeps of every kind for the report: recorded as a launch does, but simulated; a thousand trials take seconds."""

from __future__ import annotations

import dataclasses
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.core.build import build_sweep
from orchestrator.core.events import Start
from orchestrator.core.rows import State
from orchestrator.records.paths import SweepPaths, claim
from orchestrator.records.provenance import collect, write_sweep_json
from orchestrator.records.recorder import Recorder
from orchestrator.simulate.virtual_clock import simulate
from orchestrator.spec import parse_spec

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><b>bold</b>"
"""What must be seen as it is, wherever a user's text stands."""

SPACE: dict[str, Any] = {
    "lr": {"loguniform": [1e-5, 1.0]},
    "batch_size": {"choice": [32, 64, 128, 256, 512], "ordered": True},
    "width": {"logint": [16, 512]},
    "layers": {"int": [1, 5]},
    "dropout": {"uniform": [0.0, 0.6]},
    "optimizer": {"choice": ["sgd", "adam", "adamw"]},
    "momentum": {"uniform": [0.5, 0.99], "when": "optimizer == 'sgd'"},
}
T0 = 1_790_000_000.0
Step = Iterator[tuple[float, int, Mapping[str, float]]]


def learning(start: Start, steps: int = 50) -> Step:
    """A curve that falls to a floor given by the configuration, with noise; a rate that is too high diverges."""
    config, rng = start.config, random.Random(start.seed)
    rate = math.log10(config["lr"])
    floor = 0.3 + 0.05 * (rate + 2.5) ** 2 + 0.2 * config["dropout"] ** 2 + 0.3 / config["layers"] / 5
    speed = 0.02 + 0.3 / (1 + (rate + 2) ** 2)
    for step in range(1, steps + 1):
        loss = floor + 1.5 * math.exp(-speed * step) + rng.gauss(0, 0.004)
        if rate > -0.7:
            loss = math.nan if step > 3 + 10 * (-rate) else loss * 3**step
        gap = 0.002 * step * (0.6 - config["dropout"])
        yield rng.uniform(0.5, 1.0), step, {"val_loss": loss + gap, "train_loss": loss, "val_accuracy": 1 - floor / 2}


def failing(start: Start) -> Step:
    """Most of it fails, for two causes."""
    if start.config["batch_size"] >= 128:
        raise MemoryError(f"CUDA out of memory: tried to allocate {HOSTILE} 2.00 GiB")
    if start.config["layers"] == 5:
        yield from learning(start, 3)
        raise ValueError("layers must be below 5")
    yield from learning(start)


def at_once(start: Start) -> Step:
    """Diverges at its first report."""
    yield 1.0, 1, {"val_loss": math.nan}


def made(
    results: Path,
    train: Callable[[Start], Step] = learning,
    *,
    trials: int = 60,
    nodes: int = 2,
    slots: int = 4,
    running: bool = False,
    **changes: Any,
) -> SweepPaths:
    """Record a simulated sweep.

    Args:
        results: Where.
        train: The curve of an attempt.
        trials, nodes, slots: How many; the slots are dealt out to the nodes. Without trials, it has just begun.
        running: Leave its last tenth out of the records, as if it had just come so far.
        changes: Sections of the spec.
    """
    spec = parse_spec(
        {
            "name": "made-up",
            "trainable": "train.py:train",
            "fixed": {"epochs": 50},
            "space": SPACE,
            "objective": {"metric": "val_loss", "mode": "min"},
            "search": {"method": "random", "seed": 1},
            "scheduler": {"method": "asha", "grace_period": 2, "reduction_factor": 3},
            "budget": {"trials": max(1, trials)},
            "trial": {"retries": 0},
        }
        | changes,
        base=Path("."),
    )
    paths = claim(results, spec.name or "made-up")
    paths.spec.write_text(f"# {HOSTILE}\nname: {spec.name}\n")
    plain = {"name": paths.name, "seed": spec.search.seed, "trainable": str(spec.trained), "spec": spec.to_plain()}
    write_sweep_json(paths.info, collect(**plain, command=["sweep", "launch", HOSTILE], directory=results, now=T0))
    if not trials:
        return paths
    outcome = simulate(build_sweep(spec, None), train, slots=slots, began=T0)
    last = T0 + outcome.seconds * (0.9 if running else 1.0)
    kinds = {name: each.kind for name, each in spec.distributions().items()}
    names = ["val_loss", "train_loss", "val_accuracy"]
    with Recorder(paths, sweep=paths.name, parameters=kinds, metrics=names) as recorder:
        recorder.metrics([row for row in outcome.metrics if row.reported_at <= last])
        recorder.events([row for row in outcome.events if row.at <= last])
        free = [T0] * slots  # a slot: since when
        for row in sorted(outcome.trials.values(), key=lambda row: row.started_at or 0.0):
            slot = min(range(slots), key=free.__getitem__)
            free[slot] = row.ended_at or math.inf
            row = dataclasses.replace(row, node=f"node-{slot % nodes}")
            if row.ended_at is None or row.ended_at > last:
                row = dataclasses.replace(row, state=State.RUNNING, ended_at=None, reason=None)
            if row.started_at is not None and row.started_at <= last:
                recorder.trial(row)
    return paths


KINDS: Mapping[str, Callable[[Path], SweepPaths]] = {
    "some": lambda results: made(results, name="some"),
    "running": lambda results: made(results, name="running", running=True),
    "just-started": lambda results: made(results, name="just-started", trials=0),
    "failing": lambda results: made(results, failing, name="failing", trials=50),
    "hopeless": lambda results: made(results, at_once, name="hopeless", trials=6),
    "diverging": lambda results: made(
        results, name="diverging", trials=80, space={**SPACE, "lr": {"loguniform": [1e-2, 100.0]}}
    ),
    "one-parameter": lambda results: made(
        results, lambda start: one(start), name="one-parameter", space={"lr": {"loguniform": [1e-5, 1.0]}}
    ),
    "large": lambda results: made(results, name="large", trials=1000, slots=32, nodes=8, scheduler={"method": "none"}),
}
"""By name: what makes it."""


def one(start: Start) -> Step:
    """As the learning-rate example: losses over many orders of magnitude."""
    rate = start.config["lr"]
    factor = abs(1 - 150 * rate)
    for step in range(1, 51):
        loss = 30.0 * factor ** (2 * step)
        yield 0.1, step, {"val_loss": loss if loss < 1e30 else math.inf}


if __name__ == "__main__":
    import sys

    for kind in sys.argv[2:] or KINDS:
        began = time.perf_counter()
        print(KINDS[kind](Path(sys.argv[1])).root, f"{time.perf_counter() - began:.1f} s")
