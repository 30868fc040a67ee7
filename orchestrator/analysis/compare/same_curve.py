"""Whether two trainings reported the same, to the last digit; where they part, if they do not."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core.rows import GPU_MEMORY, GPU_UTILISATION
from orchestrator.records.decode import metric_rows
from orchestrator.records.load import metrics_table
from orchestrator.records.paths import SweepPaths
from trainables.report import MEASURED

OF_THE_MACHINE = MEASURED | {GPU_MEMORY, GPU_UTILISATION}
"""Metrics of the machine, not of the training."""

Curves = Mapping[int, Mapping[str, float]]
"""Metrics by step, in the order of the steps."""


@dataclass(frozen=True, kw_only=True)
class Parting:
    """The first step at which a metric differs; None: no value there."""

    metric: str
    step: int
    recorded: float | None
    repeated: float | None


@dataclass(frozen=True, kw_only=True)
class CurveComparison:
    """How a repeated training compares with the recorded one."""

    steps: int  # with a report in the record
    same: Sequence[str]  # metrics that are the same at all steps
    partings: Sequence[Parting]  # of the other metrics, the earliest first
    recorded_end: str  # how the training ended; "" where it was ended, and how it would have gone on is not known
    repeated_end: str

    @property
    def identical(self) -> bool:
        """Whether all reports, and the ends, are the same."""
        return not self.partings and self.recorded_end == self.repeated_end


def curves_of(paths: SweepPaths, trial: int) -> Curves:
    """What a trial has reported.

    Raises:
        RecordsError: The records are damaged.
    """
    import pyarrow.compute as pc

    table = metrics_table(paths)
    rows = metric_rows(table.filter(pc.equal(table["trial"], trial)))
    return {row.step: row.metrics for row in rows}


def compare_curves(
    recorded: Curves,
    repeated: Curves,
    *,
    objective: str,
    ignored: Collection[str] = (),
    recorded_end: str = "",
    repeated_end: str = "",
) -> CurveComparison:
    """Compare two trainings, metric by metric.

    Args:
        recorded: The reports of the recorded training.
        repeated: Those of the repeated one. Where the recorded one was ended, only those up to its last step count.
        objective: The metric that comes first among those that part at the same step.
        ignored: Metrics that are not compared, beside those of the machine.
        recorded_end: How the recorded training ended; "": it was ended.
        repeated_end: How the repeated one ended.
    """
    ended = not recorded_end
    last = max(recorded, default=-1)
    steps = sorted({*recorded, *(step for step in repeated if not ended or step <= last)})
    names = {name for curves in (recorded, repeated) for step in steps for name in curves.get(step, ())}
    partings, same = [], []
    for name in sorted(names - OF_THE_MACHINE - set(ignored)):
        for step in steps:
            before, now = recorded.get(step, {}).get(name), repeated.get(step, {}).get(name)
            if not _equal(before, now):
                partings.append(Parting(metric=name, step=step, recorded=before, repeated=now))
                break
        else:
            same.append(name)
    return CurveComparison(
        steps=len(recorded),
        same=same,
        partings=sorted(partings, key=lambda each: (each.step, each.metric != objective, each.metric)),
        recorded_end=recorded_end,
        repeated_end="" if ended else repeated_end,
    )


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or (math.isnan(one) and math.isnan(other))
