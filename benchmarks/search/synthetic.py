"""Synthetic tasks: conditions, choices, noise, failures and many parameters, with curves that cross.

A training's loss falls as a power of the steps from a common start to its own floor. The floor is a sum of losses in
parts of the configuration; how fast it falls depends on the learning rate, and the faster ones end higher, so that
curves cross. All constants are drawn from the task's name: a task is a function of its configuration.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from benchmarks.search.tasks import Config, Curve, Family, Task

STEPS = 81
START = 2.5
"""The loss before training."""

Floor = Callable[[Config], float]

_RANGES: Mapping[str, Any] = {
    "lr": {"loguniform": [1e-5, 1.0]},
    "batch_size": {"logint": [8, 512]},
    "weight_decay": {"loguniform": [1e-6, 1e-1]},
    "dropout": {"uniform": [0.0, 0.8]},
    "depth": {"int": [1, 12]},
    "width": {"logint": [16, 1024]},
}


@cache
def family() -> Family:
    """Two tasks of each kind."""
    makers = {
        "conditional": _conditional,
        "categorical": _categorical,
        "noisy": _noisy,
        "failing": _failing,
        "many": _many,
    }
    names = [f"{kind}-{number}" for kind, number in itertools.product(makers, (1, 2))]
    return Family(name="synthetic", tasks={name: makers[name.partition("-")[0]](name) for name in names})


def _curve(
    floor: Floor,
    speed: Callable[[Config], float],
    config: Config,
    *,
    step_s: float = 1.0,
    noise: Callable[[Config], float] | None = None,
) -> Curve:
    """A power law from the common start to the floor."""
    steps = np.arange(1, STEPS + 1)
    end = floor(config)
    pace = speed(config)
    true = end + (START - end) * (1 + steps * pace) ** -(0.4 + 0.6 * pace / (1 + pace))
    curve = {"elapsed": step_s * steps, "true": true}
    if noise is not None:
        curve["sd"] = noise(config) * (0.3 + 0.7 * np.exp(-steps / 20))
    return curve


def _bowl(value: float, low: float, high: float, best: float, *, log: bool = False) -> float:
    """0 at the best value, 1 at the distance of the whole range."""
    if log:
        value, low, high, best = (math.log(each) for each in (value, low, high, best))
    return ((value - best) / (high - low)) ** 2


def _speed(config: Config) -> float:
    """Steps are worth more with a high learning rate and a small batch."""
    return float(0.05 + 1.5 * (config["lr"] * 32 / config["batch_size"]) ** 0.3)


def _step_s(config: Config) -> float:
    """Larger models and smaller batches take longer."""
    return float(0.3 + config.get("depth", 4) * config.get("width", 128) / 2000 + 8 / config["batch_size"])


def _conditional(name: str) -> Task:
    """An optimizer with parameters of its own, and an architecture with others; each with its best learning rate."""
    draws = random.Random(name)
    optimizers, bodies = ("sgd", "adam", "rmsprop", "lion"), ("mlp", "conv", "attention")
    best_lr = {each: 10 ** draws.uniform(-4, -0.5) for each in optimizers}
    offset = dict(zip(optimizers, draws.sample([0.0, 0.03, 0.08, 0.15], 4), strict=True))
    body_offset = dict(zip(bodies, draws.sample([0.0, 0.04, 0.12], 3), strict=True))
    best = {
        "momentum": draws.uniform(0.5, 0.97),
        "beta1": draws.uniform(0.7, 0.95),
        "beta2": draws.uniform(0.95, 0.999),
        "kernel": draws.choice([3, 5, 7]),
        "heads": draws.choice([2, 4, 8]),
        "depth": draws.randint(3, 10),
        "dropout": draws.uniform(0.1, 0.5),
        "weight_decay": 10 ** draws.uniform(-5, -2),
    }

    def floor(config: Config) -> float:
        loss = 0.2 + offset[config["optimizer"]] + body_offset[config["body"]]
        wanted = best_lr[config["optimizer"]] * (config["batch_size"] / 64) ** 0.5
        loss += 4.0 * _bowl(config["lr"], 1e-5, 1.0, wanted, log=True)
        loss += 0.5 * _bowl(config["weight_decay"], 1e-6, 1e-1, best["weight_decay"], log=True)
        loss += 0.4 * _bowl(config["dropout"], 0, 0.8, best["dropout"])
        loss += 0.5 * _bowl(config["depth"], 1, 12, best["depth"])
        if "momentum" in config:
            loss += 0.4 * _bowl(config["momentum"], 0, 0.999, best["momentum"])
        if "beta1" in config:
            loss += 0.3 * _bowl(config["beta1"], 0.5, 0.99, best["beta1"])
            loss += 0.3 * _bowl(config["beta2"], 0.9, 0.9999, best["beta2"])
        if "kernel" in config:
            loss += 0.02 * abs(config["kernel"] - best["kernel"])
        if "heads" in config:
            loss += 0.03 * abs(math.log2(config["heads"] / best["heads"]))
        return loss

    space = {
        "optimizer": {"choice": list(optimizers)},
        "body": {"choice": list(bodies)},
        **{key: _RANGES[key] for key in ("lr", "batch_size", "weight_decay", "dropout", "depth")},
        "momentum": {"uniform": [0.0, 0.999], "when": "optimizer == 'sgd'"},
        "beta1": {"uniform": [0.5, 0.99], "when": "optimizer == 'adam' or optimizer == 'lion'"},
        "beta2": {"uniform": [0.9, 0.9999], "when": "optimizer == 'adam' or optimizer == 'lion'"},
        "kernel": {"choice": [3, 5, 7, 9], "ordered": True, "when": "body == 'conv'"},
        "heads": {"choice": [1, 2, 4, 8, 16], "ordered": True, "when": "body == 'attention'"},
    }
    return _task(name, space, floor)


def _categorical(name: str) -> Task:
    """Choices that interact, and two numbers."""
    draws = random.Random(name)
    choices = {
        "architecture": ["a", "b", "c", "d", "e", "f"],
        "activation": ["relu", "gelu", "silu", "tanh"],
        "norm": ["none", "batch", "layer", "group"],
        "pooling": ["mean", "max", "attention"],
        "augmentation": ["none", "crop", "mixup", "cutmix", "noise"],
        "schedule": ["constant", "step", "cosine"],
    }
    alone = {(key, option): draws.uniform(0, 0.1) for key, options in choices.items() for option in options}
    pairs = [
        ("architecture", "norm"),
        ("architecture", "augmentation"),
        ("activation", "norm"),
        ("pooling", "schedule"),
    ]
    together = {(a, x, b, y): max(0.0, draws.gauss(0, 0.08)) for a, b in pairs for x in choices[a] for y in choices[b]}
    best_lr = {option: 10 ** draws.uniform(-3.5, -1) for option in choices["architecture"]}

    def floor(config: Config) -> float:
        loss = 0.2 + sum(alone[key, config[key]] for key in choices)
        loss += sum(together[a, config[a], b, config[b]] for a, b in pairs)
        return loss + 3.0 * _bowl(config["lr"], 1e-5, 1.0, best_lr[config["architecture"]], log=True)

    space = {key: {"choice": options} for key, options in choices.items()}
    return _task(name, {**space, "lr": _RANGES["lr"], "batch_size": _RANGES["batch_size"]}, floor)


def _noisy(name: str) -> Task:
    """Numbers only, with noise that is larger where the learning rate is high and the batch small."""
    draws = random.Random(name)
    best = _best(draws)
    weights = {key: draws.uniform(0.3, 2.0) for key in _RANGES} | {"lr": 4.0}

    def noise(config: Config) -> float:
        return float(0.02 * (1 + 4 * config["lr"] ** 0.5) * (64 / config["batch_size"]) ** 0.25)

    return _task(name, _RANGES, partial(_sum_of_bowls, _RANGES, best, weights), noise=noise)


def _failing(name: str) -> Task:
    """Large models with large batches run out of memory at once; high learning rates diverge after some steps."""
    draws = random.Random(name)
    best = _best(draws) | {"depth": draws.randint(8, 12), "width": int(2 ** draws.uniform(7.5, 9))}
    weights = {key: draws.uniform(0.5, 2.0) for key in _RANGES} | {"lr": 4.0}
    floor = partial(_sum_of_bowls, _RANGES, best, weights)
    memory = 1.3 * best["depth"] * best["width"] * best["batch_size"]
    edge = best["lr"] * draws.uniform(3, 10)

    def curve(config: Config) -> Curve:
        used = config["depth"] * config["width"] * config["batch_size"]
        if used > memory:
            raise MemoryError(f"{used / memory:.1f} times the memory there is")
        made = dict(_curve(floor, _speed, config, step_s=_step_s(config)))
        if config["lr"] > edge:
            survived = int(30 * edge / config["lr"])
            made["true"] = np.where(np.arange(STEPS) >= survived, np.nan, made["true"])
        return made

    return Task(name=name, space=_RANGES, curve=curve, steps=STEPS, mode="min")


def _many(name: str) -> Task:
    """Sixty parameters, of which eight matter."""
    draws = random.Random(name)
    space: dict[str, Any] = {"lr": _RANGES["lr"], "batch_size": _RANGES["batch_size"]}
    for number in range(58):
        kinds = ({"uniform": [0.0, 1.0]}, {"int": [0, 20]}, {"choice": ["a", "b", "c"]})
        space[f"p{number}"] = kinds[number % 3]
    matter = {f"p{number}": draws.uniform(0.1, 0.9) for number in draws.sample(range(58), 6)}
    best_lr = 10 ** draws.uniform(-3.5, -1)

    def floor(config: Config) -> float:
        loss = 0.2 + 3.0 * _bowl(config["lr"], 1e-5, 1.0, best_lr, log=True)
        for key, best in matter.items():
            value = config[key]
            if isinstance(value, str):
                loss += 0.08 * (value != "abc"[int(best * 3)])
            else:
                loss += 0.6 * (value / (20 if isinstance(value, int) else 1) - best) ** 2
        return loss

    return _task(name, space, floor)


def _best(draws: random.Random) -> dict[str, Any]:
    return {
        "lr": 10 ** draws.uniform(-3.5, -1),
        "batch_size": int(2 ** draws.uniform(4, 7)),
        "weight_decay": 10 ** draws.uniform(-5, -2),
        "dropout": draws.uniform(0.05, 0.5),
        "depth": draws.randint(3, 10),
        "width": int(2 ** draws.uniform(6, 9)),
    }


def _sum_of_bowls(
    ranges: Mapping[str, Mapping[str, Any]], best: Mapping[str, Any], weights: Mapping[str, float], config: Config
) -> float:
    loss = 0.2
    for key, distribution in ranges.items():
        ((form, bounds),) = distribution.items()
        loss += weights[key] * _bowl(config[key], bounds[0], bounds[1], best[key], log=form.startswith("log"))
    return loss


def _task(
    name: str,
    space: Mapping[str, Any],
    floor: Floor,
    noise: Callable[[Config], float] | None = None,
    constraints: Sequence[str] = (),
) -> Task:
    def curve(config: Config) -> Curve:
        return _curve(floor, _speed, config, step_s=_step_s(config), noise=noise)

    return Task(name=name, space=space, curve=curve, steps=STEPS, mode="min", constraints=constraints)
