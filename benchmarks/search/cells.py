"""One cell of the benchmark: a strategy on a task with a seed, simulated until its compute is used up."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.search.strategies import Strategy, strategy_named
from benchmarks.search.tasks import Config, Curve, Family, Reference, Task, references
from orchestrator.core.rows import MetricRow
from orchestrator.simulate.play import play

BUDGET = 200
"""The compute of a run, in full trainings over all workers."""

REGRETS_AT = (5, 10, 20, 50)
"""The compute after which the regret is taken, in the same unit."""

WORST_REGRET = 2.0
"""A worse regret, and that of a run without a result, counts as this; 1 is the median random configuration."""


@dataclass(frozen=True, kw_only=True, order=True)
class Cell:
    """What is simulated."""

    family: str
    task: str
    workers: int
    seed: int
    noise: float = 0.0  # in points of the family
    strategy: str = "auto"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a cell found, and when. Compute counts in full trainings.

    Attributes:
        first: The compute after which the incumbent had reached each target; None: not within the budget.
        regret: Of the incumbent after REGRETS_AT: 0 the best random configuration, 1 the median one.
        trials: That were started.
        decision_ms: Mean milliseconds of a decision: the driver's work of a trial's start or a rung, curves excluded.
    """

    first: tuple[float | None, ...]
    regret: tuple[float, ...]
    trials: int
    decision_ms: float


def families() -> dict[str, Any]:
    """The functions that make the families, by name."""
    from benchmarks.search import lcbench, recorded, synthetic

    return {"lcbench": lcbench.family, "synthetic": synthetic.family, "recorded": recorded.family}


def run_cell(cell: Cell) -> Found:
    """Simulate a cell.

    A run without noise ends early once it has reached the hardest target and the last regret is taken.
    """
    family: Family = families()[cell.family]()
    task, reference = family.tasks[cell.task], references()[cell.family][cell.task]
    strategy = strategy_named(cell.strategy)
    if not cell.noise:
        found = _simulated(cell, family, task, reference, strategy, max(REGRETS_AT))
        if found.first[0] is not None:
            return found
    return _simulated(cell, family, task, reference, strategy, BUDGET)


def _simulated(
    cell: Cell, family: Family, task: Task, reference: Reference, strategy: Strategy, budget: float
) -> Found:
    unit = reference.training_s / cell.workers
    measured = Measured(task, cell.noise * family.point, np.random.default_rng([cell.seed, 1]))
    sections = strategy.sections
    spec = task.spec(
        search={**sections.get("search", {}), "seed": cell.seed},
        scheduler={"max": task.steps, **sections.get("scheduler", {})},
        budget={"hours": budget * unit / 3600, **sections.get("budget", {})},
    )
    began = time.process_time()
    outcome = play(spec, measured, workers=cell.workers, saves=strategy.saves, build=strategy.build).outcome
    seconds = time.process_time() - began - measured.seconds
    decisions = len(outcome.trials) + sum(event.event == "rung" for event in outcome.events)
    when, true = incumbents(outcome.metrics, task.sign)
    when = when / unit
    losses, sign = task.sign * true, task.sign
    first = [_first(when, losses <= sign * target) for target in reference.targets]
    regret = (losses - sign * reference.best) / (sign * (reference.median - reference.best))
    at = [float(np.minimum(regret[when <= compute][-1:], WORST_REGRET).sum()) for compute in REGRETS_AT]
    none = [not (when <= compute).any() for compute in REGRETS_AT]
    return Found(
        first=tuple(first),
        regret=tuple(WORST_REGRET if missing else each for each, missing in zip(at, none, strict=True)),
        trials=len(outcome.trials),
        decision_ms=1e3 * seconds / max(1, decisions),
    )


class Measured:
    """A task's curves as a sweep would see them: with noise, which is drawn anew for each trial."""

    def __init__(self, task: Task, noise: float, rng: np.random.Generator) -> None:
        self._task = task
        self._noise = noise
        self._rng = rng
        self.seconds = 0.0  # spent on curves

    def __call__(self, config: Config) -> Curve:
        """The curve with ``value``, as reported, beside ``true``."""
        began = time.process_time()
        try:
            curve = self._task.curve(config)
            true = curve["true"]
            spread = np.hypot(self._noise, curve.get("sd", 0.0))
            value = true + spread * self._rng.normal(size=len(true)) if np.any(spread) else true
            return {"elapsed": curve["elapsed"], "value": value, "true": true}
        finally:
            self.seconds += time.process_time() - began


def incumbents(rows: Sequence[MetricRow], sign: float) -> tuple[np.ndarray, np.ndarray]:
    """When the best value seen so far changed, and the true value of each: a lucky report does not count as what it
    seemed."""
    finite = [row for row in rows if np.isfinite(row.metrics["value"])]
    when = np.array([row.reported_at for row in finite])
    order = np.argsort(when, kind="stable")
    seen = sign * np.array([row.metrics["value"] for row in finite])[order]
    true = np.array([row.metrics["true"] for row in finite])[order]
    new = np.flatnonzero(seen <= np.minimum.accumulate(seen))
    return when[order][new], true[new]


def _first(when: np.ndarray, reached: np.ndarray) -> float | None:
    return round(float(when[reached][0]), 3) if reached.any() else None


def record(path: Path, cell: Cell, found: Found) -> None:
    """Append a cell to a file of cells, one JSON object a line."""
    with path.open("a") as file:
        file.write(json.dumps({"cell": asdict(cell), "found": asdict(found)}) + "\n")


def recorded(paths: Sequence[Path]) -> dict[Cell, Found]:
    """The cells in these files."""
    found: dict[Cell, Found] = {}
    for path in paths:
        for line in path.read_text().splitlines() if path.exists() else ():
            row: Mapping[str, Any] = json.loads(line)
            values = row["found"]
            lists = {"first": tuple(values["first"]), "regret": tuple(values["regret"])}
            found[Cell(**row["cell"])] = Found(**{**values, **lists})
    return found
