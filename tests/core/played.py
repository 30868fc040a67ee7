"""Sweeps for the virtual clock, and curves for their trials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import State
from orchestrator.core.sweep import Sweep
from orchestrator.simulate.virtual_clock import Outcome
from orchestrator.spec import parse_spec

PlayedStep = tuple[float, int, dict[str, float]]


def make(method: str = "random", trials: int = 9, steps: int = 27, **sections: Any) -> Sweep:
    data: dict[str, Any] = {
        "trainable": "mine:train",
        "fixed": {"epochs": steps},
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "search": {"method": method, "seed": 1},
        "scheduler": {"method": "none"},
        "budget": {"trials": trials},
    }
    for name, section in sections.items():
        data[name] = {**data.get(name, {}), **section} if isinstance(section, dict) and name != "space" else section
    return build_sweep(parse_spec(data, base=Path()), None)


def steady(start: events.Start) -> Iterator[PlayedStep]:
    """A loss that falls from 2x to x over 27 steps of one second."""
    for step in range(1, 28):
        yield 1.0, step, {"loss": start.config["x"] * (1 + 1 / step)}


def by_number(
    curves: dict[int, Callable[[events.Start], Iterator[PlayedStep]]],
) -> Callable[[events.Start], Iterator[PlayedStep]]:
    return lambda start: curves.get(start.trial, steady)(start)


def states(outcome: Outcome) -> list[State]:
    return [row.state for _, row in sorted(outcome.trials.items())]
