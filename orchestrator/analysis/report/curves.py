"""Selects which reports of which trials are drawn: all of a small sweep, as many as a page can hold of a large one.

Each stretch of a thinned curve keeps its smallest and its largest value, so spikes stay visible.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from orchestrator.analysis.report.data import Curve, Curves, Scale
from orchestrator.analysis.report.scales import scale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

VALUES = 300_000
"""The most numbers in all curves together; each takes about eight bytes on the page."""

CURVES = 1000
"""The most curves in one chart; more are unreadable."""

METRICS = 8
"""The most metrics drawn."""

FEWEST = 12
"""Every curve keeps at least this many reports, if it has them."""


def curves(
    trials: Integers,
    steps: Integers,
    metrics: Mapping[str, Floats],
    *,
    modes: Mapping[str, Literal["min", "max"]],
    chosen: Sequence[int],
    keep: Collection[int] = (),
    wild: Collection[int] = (),
) -> Curves:
    """Select the curves to draw, and thin them.

    Args:
        trials, steps: The trial and the step of each report; or its seconds of training.
        metrics: One value per report for each metric, the objective first; NaN where a report lacks it.
        modes: Whether lower or higher is better, for metrics where that is known.
        chosen: Trials in order of priority.
        keep: Steps that every curve keeps, if it has them: the rungs.
        wild: Trials that do not affect the scales: the diverged ones.
    """
    import numpy as np

    names = list(metrics)[:METRICS]
    order = np.argsort(trials, kind="stable")
    reported, starts = np.unique(trials[order], return_index=True)
    rows = dict(zip(reported.tolist(), np.split(order, starts[1:]), strict=True)) if len(trials) else {}
    drawn = [trial for trial in chosen if trial in rows][:CURVES]
    most = max(FEWEST, VALUES // (max(1, len(drawn)) * (1 + len(names))))
    kept_steps = np.array(sorted(keep), dtype=np.int64)
    found = []
    for trial in sorted(drawn):
        own = rows[trial]
        part = own[_thinned(steps[own], metrics[names[0]][own], kept_steps, most)]
        values = tuple(_plain(metrics[name][part]) for name in names)
        found.append(Curve(trial=trial, steps=tuple(np.round(steps[part], 2).tolist()), values=values))
    return Curves(
        metrics=tuple(names),
        scales=tuple(_scale(found, number, modes.get(name, "either"), wild) for number, name in enumerate(names)),
        curves=tuple(found),
        trials=len(rows),
        reports=len(trials),
        drawn=sum(len(curve.steps) for curve in found),
        other_metrics=tuple(list(metrics)[METRICS:]),
    )


def spread(ranked: Sequence[int], count: int = CURVES) -> list[int]:
    """Reorder ranked trials so that the first ``count`` are the ten best and an even sample of the others."""
    first, others = list(ranked[:10]), list(ranked[10:])
    if len(ranked) <= count:
        return list(ranked)
    stride = len(others) / (count - len(first))
    even = [others[int(number * stride)] for number in range(count - len(first))]
    taken = set(even)
    return first + even + [trial for trial in others if trial not in taken]


def _thinned(steps: Integers, objective: Floats, keep: Integers, most: int) -> Integers:
    """The indices of reports to keep: both ends, the rungs, and the extremes of each stretch."""
    import numpy as np

    if len(steps) <= most:
        return np.arange(len(steps))
    stays = set(np.flatnonzero(np.isin(steps, keep)).tolist()) | {0, len(steps) - 1}
    for stretch in np.array_split(np.arange(len(steps)), max(1, most // 2 - len(stays) // 2)):
        finite = stretch[np.isfinite(objective[stretch])]
        if len(finite):
            stays |= {int(finite[objective[finite].argmin()]), int(finite[objective[finite].argmax()])}
    return np.array(sorted(stays))


def _plain(values: Floats) -> tuple[float | None, ...]:
    import numpy as np

    return tuple(value if finite else None for value, finite in zip(values.tolist(), np.isfinite(values), strict=True))


def _scale(found: Sequence[Curve], number: int, mode: Literal["min", "max", "either"], wild: Collection[int]) -> Scale:
    tame = [curve for curve in found if curve.trial not in wild] or found
    values = [value for curve in tame for value in curve.values[number] if value is not None]
    return scale(values, mode) or Scale(low=0.0, high=1.0, log=False)
