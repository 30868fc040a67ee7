"""A tuning task whose learning curves are known, and what random configurations reach on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from orchestrator.space.space import Space
from orchestrator.spec import Spec, parse_spec

Config = dict[str, Any]
Curve = Mapping[str, np.ndarray]
"""``elapsed`` (seconds, cumulative), ``true`` (the objective without noise) and, if trainings differ, ``sd``: the
standard deviation of the noise with which it is reported. One entry a step."""

SHARES = (0.001, 0.003, 0.01)
"""Targets: as good as this top share of random configurations."""

RANDOM_CONFIGS = 20_000
REFERENCES = Path(__file__).parent / "references.json"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What random configurations reach, trained to the end.

    Attributes:
        targets: The objective that the top shares reach.
        best: Of all.
        median: Of all.
        training_s: Mean seconds of a full training, the unit of compute.
    """

    targets: tuple[float, ...]
    best: float
    median: float
    training_s: float


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task. ``true`` is the metric; ``steps`` is the length of a full training."""

    name: str
    space: Mapping[str, Any]  # as in a spec
    curve: Callable[[Config], Curve]  # may raise: the training fails
    steps: int
    mode: Literal["min", "max"] = "max"
    constraints: Sequence[str] = ()
    finals: Callable[[Sequence[Config]], tuple[np.ndarray, np.ndarray]] | None = None  # best values, seconds: in bulk

    def spec(self, **sections: Any) -> Spec:
        """A spec for the task, with these sections instead of the defaults."""
        data = {
            "trainable": "simulated",
            "space": dict(self.space),
            "constraints": list(self.constraints),
            "objective": {"metric": "value", "mode": self.mode},
        }
        return parse_spec(data | sections, base=Path())

    @cached_property
    def sign(self) -> float:
        """1 if a lower objective is better, else -1: the sign that makes a loss of it."""
        return 1.0 if self.mode == "min" else -1.0

    def random_configs(self, count: int) -> list[Config]:
        """The same feasible configurations each time."""
        space: Space = self.spec().parameter_space()
        rng = np.random.default_rng(int(hashlib.sha256(self.name.encode()).hexdigest()[:8], 16))
        found: list[Config] = []
        while len(found) < count:
            points = rng.random((count - len(found), len(space.parameters)))
            found += [config for config in map(space.from_unit, points.tolist()) if space.feasible(config)]
        return found

    def reference(self, count: int = RANDOM_CONFIGS) -> Reference:
        """Train random configurations to the end."""
        values, seconds = (self.finals or self._finals)(self.random_configs(count))
        losses = np.sort(self.sign * values)
        trained = seconds[np.isfinite(values) & np.isfinite(seconds)]
        return Reference(
            targets=tuple(float(self.sign * np.quantile(losses, share)) for share in SHARES),
            best=float(self.sign * losses[0]),
            median=float(self.sign * np.median(losses)),
            training_s=float(trained.mean()),
        )

    def _finals(self, configs: Sequence[Config]) -> tuple[np.ndarray, np.ndarray]:
        """The best value of each and its seconds; a training that fails or diverges is infinitely bad."""
        values, seconds = np.full(len(configs), self.sign * np.inf), np.zeros(len(configs))
        for row, config in enumerate(configs):
            try:
                curve = self.curve(config)
            except MemoryError:
                continue
            if np.isfinite(curve["true"]).all():
                values[row] = self.sign * (self.sign * curve["true"]).min()
                seconds[row] = curve["elapsed"][-1]
        return values, seconds


@dataclass(frozen=True, kw_only=True)
class Family:
    """Tasks that are alike, and the noise that a measurement may add to their objective."""

    name: str
    tasks: Mapping[str, Task]
    point: float = 0.0  # the standard deviation of `--noise 1`; 0: the tasks have noise of their own, or need none


def references() -> dict[str, dict[str, Reference]]:
    """The recorded references, by family and task."""
    held = json.loads(REFERENCES.read_text()) if REFERENCES.exists() else {}
    return {
        family: {name: Reference(**{**each, "targets": tuple(each["targets"])}) for name, each in tasks.items()}
        for family, tasks in held.items()
    }


def record_references(families: Sequence[Family]) -> None:
    """Compute the references of families anew."""
    held = json.loads(REFERENCES.read_text()) if REFERENCES.exists() else {}
    for family in families:
        held[family.name] = {name: asdict(task.reference()) for name, task in family.tasks.items()}
    REFERENCES.write_text(json.dumps(held, indent=1) + "\n")
