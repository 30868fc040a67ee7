"""`sweep simulate`: what would have been found when, as a table over time."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.analysis.what_if.progress import Progress, of_outcome
from orchestrator.analysis.what_if.recorded import WhatIf
from orchestrator.cli.formats import painted
from orchestrator.cli.views.forecast import known_paces
from orchestrator.cli.views.table import as_table
from orchestrator.errors import UserError
from orchestrator.formatting import count, duration
from orchestrator.simulate.costs import measured_costs
from orchestrator.simulate.forecast import modelled_sweeps
from orchestrator.spec.source import Source
from orchestrator.worker.messages import heartbeat

PARTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)
"""The rows of the table, as parts of the longest duration."""

TRUSTED = 0.5
"""The rank correlation below which the simulated results say little."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """Sweeps that differ in their seed only.

    Attributes:
        name: Over its columns in the table.
        key: In JSON.
        workers: Trials at once.
        runs: One or more.
    """

    name: str
    key: str
    workers: int
    runs: Sequence[Progress]

    def trials_by(self, seconds: float) -> float:
        """The median number of trials started."""
        return statistics.median(run.trials_by(seconds) for run in self.runs)

    def best_by(self, seconds: float) -> tuple[float, float, float] | None:
        """The least, the median and the greatest best result; None until most runs have one."""
        found = [best for run in self.runs if (best := run.best_by(seconds)) is not None]
        if 2 * len(found) <= len(self.runs):
            return None
        return min(found), statistics.median(found), max(found)


def recorded_columns(found: WhatIf) -> list[Column]:
    """The columns of a recorded sweep: as it was, simulated as it was, and simulated with the changes."""
    ran = found.recorded_workers
    columns = [
        Column(name="recorded", key="recorded", workers=ran, runs=[found.recorded]),
        Column(name="as it was", key="same", workers=ran, runs=found.same),
    ]
    if found.changed:
        columns.append(Column(name="as asked", key="changed", workers=found.workers, runs=found.changed))
    return columns


def recorded_remarks(found: WhatIf, metric: str) -> list[str]:
    """How much to trust the table."""
    trust = found.trust
    correlation = "" if trust.rank_correlation is None else f", with a rank correlation of {trust.rank_correlation:.2f}"
    remarks = [
        f"{found.exact:.0%} of the simulated trials have a recorded configuration; the others take the mean of the"
        " nearest curves, and a curve that was cut off goes on as the nearest did",
        f"predicted from the others, {count(trust.curves, 'recorded result')} of {metric} came out off by"
        f" {trust.error:.2g} in the median{correlation}",
    ]
    if trust.rank_correlation is None or trust.rank_correlation < TRUSTED:
        remarks.append("so trust the times, and hardly what is found")
    if not found.saves:
        remarks.append("the records show no saved state, so no simulated trial pauses")
    if found.ended_by is not None:
        remarks.append(f"as asked, it ends early: {found.ended_by}")
    return remarks


def modelled_columns(
    before: Source | None, after: Source, *, workers: int | None, seeds: int, step_s: float | None, results: Path
) -> tuple[list[Column], str]:
    """The columns of a spec, as in its file and with the changes; and where the pace of a step comes from.

    Raises:
        UserError: How long a step or a full training takes is unknown.
    """
    columns, origin = [], ""
    cases = [("as in the file", "same", before), ("as asked", "changed", after)]
    for name, key, found in cases if before is not None else [("simulated", "changed", after)]:
        if found is None:
            continue
        slots = workers or found.spec.resources.concurrency or 1
        known = known_paces(found, step_s, results, on_gpus=False)
        origin = known.origin
        if not known.paces:
            raise UserError(origin)
        outcomes = modelled_sweeps(
            found.spec,
            found.declaration,
            slots=slots,
            paces=known.paces,
            costs=measured_costs(found.spec.search.method, heartbeat_s=heartbeat(slots)),
            sweeps=seeds,
            saves=known.saves,
        )
        if not outcomes:
            raise UserError("nothing says how long a full training is: set scheduler.max to its last step")
        objective = found.spec.objective
        runs = [of_outcome(outcome, objective.metric, objective.mode) for outcome in outcomes]
        columns.append(Column(name=name, key=key, workers=slots, runs=runs))
    return columns, origin


def modelled_remarks(origin: str) -> list[str]:
    """What the table of a spec says."""
    return [
        f"a step: {origin}",
        "curves are unknown before a launch, so each trial has a rank among random configurations, the same at each"
        " rung; a share of 1% is as good as the best of a hundred random ones",
    ]


def what_if_text(title: str, columns: Sequence[Column], remarks: Sequence[str], *, share: bool) -> str:
    """The table and what it is worth.

    Args:
        title: The first line.
        columns: What is compared.
        remarks: Sentences below the table.
        share: Whether results are shares of random configurations rather than values of the objective.
    """
    rows = [
        {"after": duration(at)}
        | {
            f"{column.name}: {what}": value
            for column in columns
            for what, value in (
                ("trials", f"{column.trials_by(at):,.0f}"),
                ("top share" if share else "best", _best(column.best_by(at), share=share)),
            )
        }
        for at in _times(columns)
    ]
    ends = [f"{column.name}: {_how(column)}" for column in columns]
    return "\n".join([painted(title, None, bold=True), as_table(rows), *ends, *remarks])


def what_if_data(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """The table as data, by column: the trials that had started and the best result, after so many seconds."""
    return [
        {
            "column": column.key,
            "workers": column.workers,
            "seconds": [run.seconds for run in column.runs],
            "rows": [_row(column, at) for at in _times(columns)],
        }
        for column in columns
    ]


def _row(column: Column, at: float) -> dict[str, Any]:
    low, best, high = column.best_by(at) or (None, None, None)
    return {"seconds": at, "trials": column.trials_by(at), "best": best, "best_low": low, "best_high": high}


def _times(columns: Sequence[Column]) -> list[float]:
    longest = max(run.seconds for column in columns for run in column.runs)
    return [longest * part for part in PARTS]


def _how(column: Column) -> str:
    ends = f"{count(column.workers, 'trial')} at once, ended after {_spread([run.seconds for run in column.runs])}"
    return ends if column.key == "recorded" else f"{ends}, in {count(len(column.runs), 'simulated sweep')}"


def _best(found: tuple[float, float, float] | None, *, share: bool) -> str:
    if found is None:
        return "–"
    shown = sorted(map(abs, found)) if share else found
    low, middle, high = (f"{each:.2%}" if share else f"{each:.5g}" for each in shown)
    return middle if low == high else f"{middle} ({low} to {high})"


def _spread(seconds: Sequence[float]) -> str:
    low, middle, high = (duration(each) for each in (min(seconds), statistics.median(seconds), max(seconds)))
    return middle if low == high else f"{middle} ({low} to {high})"
