"""Compares strategies over tasks: how much sooner one finds what another finds, with intervals over tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.search.cells import BUDGET, Cell, Found
from benchmarks.search.tasks import SHARES

RESAMPLES = 2000

Runs = Mapping[tuple[str, int], Found]
"""What a strategy found, by task and seed."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """The cells that can be compared: one family, number of workers, and noise."""

    family: str
    workers: int
    noise: float
    runs: Mapping[str, Runs]  # by strategy

    @property
    def title(self) -> str:
        """What was simulated."""
        workers = f"{self.workers} worker" + ("s" if self.workers > 1 else "")
        return f"{self.family}, {workers}" + (f", noise of {self.noise:g} points" if self.noise else "")


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """How many times sooner a strategy reaches a target than another.

    Attributes:
        mean: The geometric mean over tasks of the ratio of expected running times.
        low, high: A 95 % interval of it, by resampling tasks.
        worst: Of any task.
        worst_task: That task.
    """

    mean: float
    low: float
    high: float
    worst: float
    worst_task: str


def groups(cells: Mapping[Cell, Found]) -> list[Group]:
    """The cells by what can be compared."""
    sorted_: dict[tuple[str, int, float], dict[str, dict[tuple[str, int], Found]]] = {}
    for cell, found in cells.items():
        runs = sorted_.setdefault((cell.family, cell.workers, cell.noise), {})
        runs.setdefault(cell.strategy, {})[cell.task, cell.seed] = found
    return [
        Group(family=family, workers=workers, noise=noise, runs=runs)
        for (family, workers, noise), runs in sorted(sorted_.items())
    ]


def ratio(ours: Runs, other: Runs, target: int) -> Ratio | None:
    """How many times sooner ``ours`` reaches a target, over the cells that both have; None if there are none."""
    common = ours.keys() & other.keys()
    tasks = sorted({task for task, _ in common})
    if not tasks:
        return None
    logs = []
    for task in tasks:
        cells = [cell for cell in common if cell[0] == task]
        times = [expected_time([runs[cell] for cell in cells], target) for runs in (other, ours)]
        logs.append(np.log(times[0] / times[1]))
    drawn = np.random.default_rng(0).choice(logs, (RESAMPLES, len(logs))).mean(axis=1)
    low, high = np.exp(np.quantile(drawn, [0.025, 0.975]))
    worst = int(np.argmin(logs))
    return Ratio(
        mean=float(np.exp(np.mean(logs))),
        low=float(low),
        high=float(high),
        worst=float(np.exp(logs[worst])),
        worst_task=tasks[worst],
    )


def expected_time(runs: Sequence[Found], target: int) -> float:
    """The expected running time to a target with restarts: all compute, a miss charged in full, by the hits.

    Where no run hits, one hit is assumed (Hansen et al. 2021, "COCO", section 3.4).
    """
    first = [run.first[target] for run in runs]
    hits = sum(each is not None for each in first)
    return sum(BUDGET if each is None else max(each, 1e-3) for each in first) / max(1, hits)


def reach(runs: Runs) -> list[float]:
    """The share of the runs that reach each target."""
    return [float(np.mean([run.first[target] is not None for run in runs.values()])) for target in range(len(SHARES))]


def regret(runs: Runs) -> list[float]:
    """The mean regret after each amount of compute."""
    return [float(each) for each in np.mean([run.regret for run in runs.values()], axis=0)]


def decision_ms(runs: Runs) -> float:
    """Mean milliseconds of a decision."""
    return float(np.mean([run.decision_ms for run in runs.values()]))


def overview(group: Group, base: str) -> list[list[str]]:
    """A row a strategy, below a head: what it reaches, how soon against ``base``, regret, decision time."""
    head = ["strategy", "runs", "reach .1 / .3 / 1 %", f"× {base}, .1 / .3 / 1 %", "worst task, .1 / 1 %"]
    head += ["regret at 5 / 10 / 20 / 50", "ms a decision"]
    rows = [head]
    for name, runs in group.runs.items():
        ratios = [ratio(runs, group.runs.get(base, {}), target) for target in range(len(SHARES))]
        found = [each for each in ratios if each is not None]
        same = name == base
        rows.append(
            [
                label(name),
                str(len(runs)),
                " / ".join(_short(each) for each in reach(runs)),
                "1" if same else " / ".join(f"{each.mean:.2g}" for each in found),
                "" if same else " / ".join(f"{each.worst:.2g} ({each.worst_task})" for each in found[::2]),
                " / ".join(f"{each:.3f}" for each in regret(runs)),
                f"{decision_ms(runs):.2g}",
            ]
        )
    return rows


def against(group: Group, ours: str) -> list[list[str]]:
    """A row for each other strategy: how many times sooner ``ours`` reaches each target, with intervals over tasks."""
    rows = [[f"{label(ours)} against", *(f"top {share:.1%}" for share in SHARES)]]
    for name, runs in group.runs.items():
        if name != ours and ours in group.runs:
            ratios = [ratio(group.runs[ours], runs, target) for target in range(len(SHARES))]
            rows.append([label(name), *(_interval(each) for each in ratios)])
    return rows


def label(strategy: str) -> str:
    """A strategy's name, without the settings that it stands for."""
    return f"`{strategy.partition('=')[0]}`"


def _interval(found: Ratio | None) -> str:
    return "" if found is None else f"{found.mean:.2g} [{found.low:.2g}, {found.high:.2g}]"


def _short(share: float) -> str:
    return f"{share:.2f}".lstrip("0") if 0 < share < 1 else f"{share:g}"
